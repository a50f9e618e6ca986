dist_bashcomp_DATA = completions/nnscope.bash
