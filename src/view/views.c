/* The table of views. */
#include "view/view.h"

const struct view views[] = {
	{ "autograd", "the backward graph, as torchviz's make_dot draws it", view_autograd },
	{ "forward", "the operators as they ran, in frames of their modules", view_forward },
	{ NULL, NULL, NULL }
};
