# NNS_CHECK_CFLAGS(VARIABLE, FLAGS)
# Sets and substitutes VARIABLE to those of FLAGS that the C compiler takes.
AC_DEFUN([NNS_CHECK_CFLAGS], [
	$1=
	for nns_flag in $2; do
		AC_MSG_CHECKING([whether $CC takes $nns_flag])
		nns_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $nns_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes]); $1="$$1 $nns_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$nns_saved_CFLAGS
	done
	AC_SUBST([$1])
])
