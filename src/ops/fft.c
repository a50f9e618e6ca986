/*
 * Fourier transforms (aten/src/ATen/native/SpectralOps.cpp, mkl/SpectralOps.cpp).
 * Everything ends in one of three: real to complex, complex to real, complex to complex.
 */
#include <string.h>

#include "ops/op.h"
#include "ops/shapes.h"

static enum dtype complex_of(enum dtype d)
{
	return d == DT_FLOAT64 || d == DT_COMPLEX128 ? DT_COMPLEX128 : DT_COMPLEX64;
}

/* The transformed dimensions; the last one given stays last when `keep_last`, the others come by falling stride. */
static bool transformed(struct op_call *c, const struct value *self, bool keep_last, int *n, int *dims)
{
	const int64_t *given = op_ints(c, "dim", n);
	bool seen[MAX_DIMS] = { false };
	for (int i = 0; i < *n; i++) {
		int d, j = i;
		if (!op_dim(c, given[i], self->ndim, &d))
			return false;
		if (seen[d] || self->ndim == 0)
			return op_fail(c, "FFT dims must be unique and of a tensor with dimensions, got %V", self);
		seen[d] = true;
		bool stays = keep_last && i == *n - 1;
		for (; j > 0 && !stays && self->stride[dims[j - 1]] < self->stride[d]; j--)
			dims[j] = dims[j - 1];
		dims[j] = d;
	}
	return *n > 0 || op_fail(c, "expected at least one dimension");
}

/* The layout of _exec_fft(): batch dimensions by falling stride, then the transformed ones. */
static void fft_strides(const struct value *self, int n, const int *dims, const int64_t *size, int64_t *stride)
{
	int order[MAX_DIMS], k = 0;
	for (int d = 0; d < self->ndim; d++) {
		bool is_batch = true;
		for (int i = 0; i < n; i++)
			is_batch = is_batch && dims[i] != d;
		if (!is_batch)
			continue;
		int j = k++;
		for (; j > 0 && self->stride[order[j - 1]] < self->stride[d]; j--)
			order[j] = order[j - 1];
		order[j] = d;
	}
	memcpy(order + k, dims, (size_t)n * sizeof *dims);
	int64_t next = 1;
	for (int i = self->ndim - 1; i >= 0; i--) {
		stride[order[i]] = next;
		next *= size[order[i]] > 1 ? size[order[i]] : 1;
	}
}

static bool out_fft(struct op_call *c, const struct value *self, enum dtype d, int n, const int *dims, const int64_t *size)
{
	int64_t stride[MAX_DIMS];
	fft_strides(self, n, dims, size, stride);
	return op_out_strided(c, d, self->ndim, size, stride) != NULL;
}

static bool shape_r2c(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n, dims[MAX_DIMS];
	int64_t size[MAX_DIMS];
	if (!dtype_is_float(self->dtype))
		return op_fail(c, "expects a floating point input tensor, but got %s", dtype_name(self->dtype));
	if (!transformed(c, self, true, &n, dims))
		return false;
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	if (op_bool(c, "onesided", true))
		size[dims[n - 1]] = size[dims[n - 1]] / 2 + 1;
	return out_fft(c, self, complex_of(self->dtype), n, dims, size);
}

static bool shape_c2c(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	int n, dims[MAX_DIMS];
	if (!is_complex(self))
		return op_fail(c, "expects a complex input tensor, but got %s", dtype_name(self->dtype));
	return transformed(c, self, false, &n, dims) && out_fft(c, self, self->dtype, n, dims, self->size);
}

/* All but the last dimension are transformed from complex to complex first. */
static bool shape_c2r(struct op_call *c)
{
	struct value *self = op_tensor(c, "self");
	struct value between = *self;
	int n, dims[MAX_DIMS], last;
	int64_t size[MAX_DIMS], stride[MAX_DIMS];
	if (!is_complex(self))
		return op_fail(c, "expects a complex input tensor, but got %s", dtype_name(self->dtype));
	if (!transformed(c, self, true, &n, dims))
		return false;
	if (n > 1) {
		fft_strides(self, n - 1, dims, self->size, stride);
		between.stride = stride;
	}
	last = dims[n - 1];
	memcpy(size, self->size, (size_t)self->ndim * sizeof *size);
	size[last] = op_int(c, "last_dim_size", 0);
	return out_fft(c, &between, self->dtype == DT_COMPLEX128 ? DT_FLOAT64 : DT_FLOAT32, 1, &last, size);
}

/* ---- Rows ---- */

/* normalization: 0 none, 1 by the root, 2 by n */
#define NORM(forward) \
	"how = 1 if norm == 'ortho' else 2 if (norm == 'forward') == " forward " else 0\n"
#define PROMOTED \
	"x = self if self.is_complex() or self.is_floating_point() else aten.to.dtype(self, torch.float32)\n"
#define TO_COMPLEX \
	"if not x.is_complex():\n" \
	"    x = aten.to.dtype(x, torch.complex128 if x.dtype == torch.float64 else torch.complex64)\n"
/* Dimensions dims of x cut or filled with zeros to sizes (resize_fft_input): all are cut first, then all filled at once. */
#define RESIZED \
	"pad = [0] * (2 * x.dim())\n" \
	"n = x.dim()\n" \
	"for i in range(len(dims)):\n" \
	"    d, m = dims[i], sizes[i]\n" \
	"    if x.size(d) < m:\n" \
	"        pad[2 * (n - d) - 1] = m - x.size(d)\n" \
	"    elif x.size(d) > m:\n" \
	"        x = aten.slice.Tensor(x, d, 0, m)\n" \
	"if sum(pad) > 0:\n" \
	"    x = aten.constant_pad_nd(x, pad)\n"

/* One dimension; sizes is that to which it is brought. */
#define ONE(size) \
	"dims = [dim % x.dim()]\n" \
	"given = n\n" \
	"if given is not None:\n" \
	"    sizes = [" size "]\n" \
	RESIZED_IN

/* The same within an if. */
#define RESIZED_IN \
	"    d, m = dims[0], sizes[0]\n" \
	"    if x.size(d) < m:\n" \
	"        pad = [0] * (2 * x.dim())\n" \
	"        pad[2 * (x.dim() - d) - 1] = m - x.size(d)\n" \
	"        x = aten.constant_pad_nd(x, pad)\n" \
	"    elif x.size(d) > m:\n" \
	"        x = aten.slice.Tensor(x, d, 0, m)\n"

#define FFT_1D(forward) PROMOTED NORM(forward) ONE("given") \
	"if x.is_complex():\n" \
	"    return aten._fft_c2c(x, dims, how, " forward ")\n" \
	"y = aten._fft_r2c(x, dims, how, False)\n" \
	"return y if " forward " else aten._conj(y)"
#define RFFT_1D(forward) PROMOTED NORM(forward) ONE("given") "y = aten._fft_r2c(x, dims, how, True)\n"
#define IRFFT_1D(forward) PROMOTED TO_COMPLEX NORM(forward) ONE("given // 2 + 1") \
	"last = 2 * (x.size(dims[0]) - 1) if given is None else given\n"

/* Several dimensions (canonicalize_fft_shape_and_dim_args). */
#define SHAPED \
	"dims = dim\n" \
	"if dims is None:\n" \
	"    dims = list(range(x.dim())) if s is None else list(range(x.dim() - len(s), x.dim()))\n" \
	"dims = [d % x.dim() for d in dims]\n" \
	"sizes = [x.size(dims[i]) if s is None or s[i] == -1 else s[i] for i in range(len(dims))]\n"
#define HALF_LAST \
	"last = 2 * (x.size(dims[-1]) - 1) if s is None or s[-1] == -1 else s[-1]\n" \
	"sizes[-1] = last // 2 + 1\n"

#define FFT_ND(forward) PROMOTED TO_COMPLEX NORM(forward) SHAPED RESIZED "return aten._fft_c2c(x, dims, how, " forward ")"
#define RFFT_ND PROMOTED NORM("True") SHAPED RESIZED "return aten._fft_r2c(x, dims, how, True)"
#define IRFFT_ND PROMOTED TO_COMPLEX NORM("False") SHAPED HALF_LAST RESIZED "return aten._fft_c2r(x, dims, how, last)"
#define HFFT_ND PROMOTED TO_COMPLEX NORM("True") SHAPED HALF_LAST RESIZED \
	"if len(dims) > 1:\n" \
	"    x = aten._fft_c2c(x, dims[:-1], how, True)\n" \
	"return aten._fft_c2r(aten._conj(x), [dims[-1]], how, last)"
#define IHFFT_ND PROMOTED NORM("False") SHAPED RESIZED \
	"y = aten._fft_r2c(x, [dims[-1]], how, True)\n" \
	"if len(dims) == 1:\n" \
	"    return aten._conj(y)\n" \
	"return aten._fft_c2c(aten.conj_physical(y), dims[:-1], how, False)"

#define SHIFT(by) \
	"dims = list(range(self.dim())) if dim is None else dim\n" \
	"return aten.roll(self, [" by " for d in dims], dims)"

const struct op_rule fft_rules[] = {
	{ .name = "_fft_r2c", .shape = shape_r2c },
	{ .name = "_fft_c2c", .shape = shape_c2c },
	{ .name = "_fft_c2r", .shape = shape_c2r },

	/* composites */
	{ .name = "fft_fft", .parts = FFT_1D("True") },
	{ .name = "fft_ifft", .parts = FFT_1D("False") },
	{ .name = "fft_rfft", .parts = RFFT_1D("True") "return y" },
	{ .name = "fft_ihfft", .parts = RFFT_1D("False") "return aten._conj(y)" },
	{ .name = "fft_irfft", .parts = IRFFT_1D("False") "return aten._fft_c2r(x, dims, how, last)" },
	{ .name = "fft_hfft", .parts = IRFFT_1D("True") "return aten._fft_c2r(aten._conj(x), dims, how, last)" },
	{ .name = "fft_fft2", .parts = FFT_ND("True") },
	{ .name = "fft_ifft2", .parts = FFT_ND("False") },
	{ .name = "fft_fftn", .parts = FFT_ND("True") },
	{ .name = "fft_ifftn", .parts = FFT_ND("False") },
	{ .name = "fft_rfft2", .parts = RFFT_ND },
	{ .name = "fft_rfftn", .parts = RFFT_ND },
	{ .name = "fft_irfft2", .parts = IRFFT_ND },
	{ .name = "fft_irfftn", .parts = IRFFT_ND },
	{ .name = "fft_hfft2", .parts = HFFT_ND },
	{ .name = "fft_hfftn", .parts = HFFT_ND },
	{ .name = "fft_ihfft2", .parts = IHFFT_ND },
	{ .name = "fft_ihfftn", .parts = IHFFT_ND },
	{ .name = "fft_fftshift", .parts = SHIFT("self.size(d) // 2") },
	{ .name = "fft_ifftshift", .parts = SHIFT("(self.size(d) + 1) // 2") },
	{ .name = "stft", .parts =
		"return aten.stft.center(self, n_fft, hop_length, win_length, window, False, 'constant', normalized, onesided, return_complex)" },
	{ .name = "stft.center", .parts =
		"hop = n_fft // 4 if hop_length is None else hop_length\n"
		"width = n_fft if win_length is None else win_length\n"
		"x = aten.unsqueeze(self, 0) if self.dim() == 1 else self\n"
		"if center:\n"
		"    extra = max(3 - x.dim(), 0)\n"
		"    x = aten.pad(aten.view(x, [1] * extra + list(x.shape)), [n_fft // 2, n_fft // 2], pad_mode)\n"
		"    x = aten.view(x, list(x.shape[extra:]))\n"
		"if n_fft <= 0 or n_fft > x.size(1):\n"
		"    raise ValueError(f'stft: expected 0 < n_fft < {x.size(1)}, but got n_fft={n_fft}')\n"
		"if hop <= 0 or width <= 0 or width > n_fft:\n"
		"    raise ValueError(f'stft: expected hop_length > 0 and 0 < win_length <= n_fft, but got {hop} and {width}')\n"
		"w = window\n"
		"if width < n_fft:\n"
		"    w = aten.zeros([n_fft], dtype=torch.float32 if window is None else window.dtype)\n"
		"    left = (n_fft - width) // 2\n"
		"    if window is None:\n"
		"        aten.fill_.Scalar(aten.narrow(w, 0, left, width), 1)\n"
		"    else:\n"
		"        aten.copy_(aten.narrow(w, 0, left, width), window)\n"
		"frames = 1 + (x.size(1) - n_fft) // hop\n"
		"x = aten.as_strided(x, [x.size(0), frames, n_fft], [x.stride(0), hop * x.stride(1), x.stride(1)])\n"
		"if w is not None:\n"
		"    x = aten.mul.Tensor(x, w)\n"
		"how = 1 if normalized else 0\n"
		"if x.is_complex():\n"
		"    y = aten._fft_c2c(x, [2], how, True)\n"
		"else:\n"
		"    y = aten._fft_r2c(x, [2], how, True if onesided is None else onesided)\n"
		"y = aten.transpose_(y, 1, 2)\n"
		"if self.dim() == 1:\n"
		"    y = aten.squeeze_.dim(y, 0)\n"
		"return y if return_complex else aten.view_as_real(y)" },
	{ 0 },
};
