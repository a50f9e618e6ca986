#!/usr/bin/env python3
"""Makes tests/values/*.tsv with PyTorch: what operators give, how modules initialise, what is drawn after torch.manual_seed().

usage: value-cases.py tests/values     (needs torch)

Inputs are torch.randn of their shape, drawn in order after the seed; so a row needs no numbers but the result's: the
dtype, the shape, and the sum, the sum of absolute values, the sum of each value times its place.  draws.tsv holds values
themselves: up to 16 of a tensor, evenly spread, the first and the last among them; so does runs.tsv, of what models return in
each mode, with the inputs drawn after the parameters.  Needs torchvision too.
"""
import os, sys, warnings
import torch
import torchvision
import torch.nn.functional as F
from torch import nn
from torch.nn import *

warnings.filterwarnings("ignore")
aten = torch.ops.aten

OPERATORS = """
x + y | 3x4 3x4
x - 2 * y | 3x4 4
x / y | 3x1 1x4
x ** 2 | 5
torch.abs(x).pow(0.5) | 3x4
torch.remainder(x, 0.7) | 12
torch.fmod(x, 0.7) | 12
torch.floor_divide(x * 5, 2) | 12
torch.atan2(x, y) | 6 6
torch.lerp(x, y, 0.3) | 6 6
torch.addcmul(x, y, z, value=0.5) | 6 6 6
torch.addcdiv(x, y, z.abs() + 1, value=2) | 6 6 6
torch.clamp(x, -0.5, 0.5) | 20
torch.where(x > 0, x, y) | 3x4 3x4
(x > 0).long() * 0.3 - 1.5 | 3x4
torch.div(x * 9, y, rounding_mode='trunc') | 3x4 3x4
torch.special.bessel_j0(x) + torch.special.bessel_j1(x) + torch.special.bessel_y0(x.abs()) + torch.special.bessel_y1(x.abs()) | 12
torch.special.modified_bessel_k0(x.abs()) + torch.special.modified_bessel_k1(x.abs() * 3) | 12
torch.special.scaled_modified_bessel_k0(x.abs() * 9) + torch.special.scaled_modified_bessel_k1(x.abs()) + torch.special.spherical_bessel_j0(x * 9) | 12
torch.special.modified_bessel_i0(x) + torch.special.modified_bessel_i1(x) + torch.special.erfcx(x) + torch.special.airy_ai(x * 5) | 24
torch.special.zeta(x.abs() + 1.5, y.abs() + 0.1) + torch.igamma(x.abs(), y.abs()) + torch.igammac(x.abs() * 4, y.abs()) | 12 12
torch.mvlgamma(x.abs() + 3, 4) + torch.frexp(x)[0] + torch.frexp(x)[1] | 12
torch.special.chebyshev_polynomial_t(x, 5) + torch.special.chebyshev_polynomial_u(x.tanh(), 11) | 12
torch.special.chebyshev_polynomial_v(x.tanh(), 10) + torch.special.chebyshev_polynomial_w(x, 3) | 12
torch.special.shifted_chebyshev_polynomial_t(x, 4) + torch.special.shifted_chebyshev_polynomial_u(x.tanh(), 3) | 12
torch.special.shifted_chebyshev_polynomial_v(x, 2) + torch.special.shifted_chebyshev_polynomial_w(x.sigmoid(), 9) | 12
torch.special.hermite_polynomial_h(x, 4) + torch.special.hermite_polynomial_he(x, 4) + torch.special.laguerre_polynomial_l(x, 3) | 12
torch.special.legendre_polynomial_p(x, 4) + torch.special.chebyshev_polynomial_t(torch.sign(x), 3) | 12
torch.unfold_copy(x, 1, 2, 1) | 3x4
torch.view_as_real(torch.fft.fft(x)) | 3x4
torch.view_as_real(torch.conj_physical(torch.fft.ifft(x, 6, 0, norm='ortho'))) | 3x4
torch.view_as_real(torch.fft.rfft2(x, (5, 3))) | 3x4
torch.fft.irfftn(torch.fft.rfftn(x), (3, 5)) + torch.fft.hfft(x, 5) | 3x5
torch.fft.hfft2(x, (2, 7), norm='ortho').t() | 3x4
torch.view_as_real(torch.fft.ihfft2(x)) + torch.view_as_real(torch.fft.ihfftn(x)) | 3x4
torch.view_as_real(torch.fft.ifftn(x.double(), (4, 4), (1, 0))).float() | 3x4
torch.view_as_real(torch.complex(x, y)) + torch.view_as_real(torch.polar(x, y)) | 3x4 3x4
torch.view_as_real(torch.conj_physical(torch.view_as_complex(x))) | 3x2
torch.view_as_real(torch.complex(x, y) * torch.complex(y, x) / torch.complex(y, x + 2) - 2 * torch.complex(x, x)) | 3x4 3x4
torch.view_as_real(torch.complex(x, y) * x[0] + (x > 0)) | 3x4 3x4
torch.complex(x, y).abs() + torch.angle(torch.complex(x, y)) + (torch.complex(x, x) == torch.complex(x, y.abs())) | 12 12
torch.view_as_real(torch.exp(torch.complex(x, y)) + torch.log(torch.complex(x, y)) + torch.complex(x, y).sqrt() + torch.complex(x, y).rsqrt()) | 12 12
torch.view_as_real(torch.sin(torch.complex(x, y)).cos() + torch.complex(x, y).tanh() - torch.sigmoid(torch.complex(x, y)) + torch.complex(x, y).reciprocal()) | 12 12
torch.view_as_real(torch.complex(x, y) ** 3 + torch.complex(x, y) ** 0.5 + torch.complex(x, y).square() - torch.complex(y, x).sgn()) | 12 12
torch.view_as_real(torch.complex(x, y) @ torch.complex(y, x).transpose(1, 2)) | 2x3x4 2x3x4
torch.view_as_real(torch.addmm(torch.complex(x, x), torch.complex(y, y + 1), torch.complex(z, z - 1), beta=0.5, alpha=2)) | 5 3x4 4x5
torch.view_as_real(torch.einsum('bxi,iox->box', torch.complex(x, -x), torch.complex(y, y * 2))) | 2x3x4 4x5x3
torch.view_as_real(torch.complex(x, y).sum(1) + torch.complex(x, y).mean((1, 2), keepdim=True)[:, 0]) | 2x3x4 2x3x4
torch.view_as_real(torch.where(x > 0, torch.complex(x, y), x)) | 3x4 3x4
torch.view_as_real(torch.cat([torch.complex(x, y), torch.complex(y, x)], 1)[:, ::2].flip(0).roll(1, 1)) | 3x4 3x4
torch.view_as_real(torch.stack([torch.complex(x, y), torch.complex(y, x)]).index_select(2, torch.tensor([3, 0]))) | 3x4 3x4
torch.view_as_real(torch.complex(x, y)[:, [1, 3]].clone().permute(1, 0).contiguous()) | 3x4 3x4
torch.view_as_real(F.pad(torch.complex(x, y), (1, 2))) | 3x4 3x4
torch.view_as_real(torch.complex(x, y).masked_fill(x > 0, 0.5)) | 3x4 3x4
torch.view_as_real(torch.zeros_like(torch.complex(x, y)) + torch.ones(4, dtype=torch.complex64) + torch.full((3, 4), 2.0, dtype=torch.complex64)) | 3x4 3x4
torch.view_as_real(torch.complex(x, y).repeat(1, 2).unsqueeze(0).expand(2, 3, 8)) | 3x4 3x4
torch.linalg.vector_norm(torch.complex(x, y), dim=1) | 3x4 3x4
torch.view_as_real(torch.gather(torch.complex(x, y), 1, torch.tensor([[0, 2], [1, 1], [3, 0]]))) | 3x4 3x4
torch.view_as_real(torch.fft.fftshift(torch.complex(x, y)) + torch.outer(torch.complex(x[0], y[0]), torch.complex(x[1], y[1]))[:3]) | 3x4 3x4
torch.view_as_real(torch.tril(torch.complex(x, y)) + torch.diag(torch.complex(x[0], y[0]))[:3]) | 3x4 3x4
torch.vdot(x, y) + torch.view_as_real(torch.dot(torch.complex(x, y), torch.complex(y, x)) + torch.vdot(torch.complex(x, y), torch.complex(y, x))) | 6 6
torch.view_as_real(torch.complex(x, y).mv(torch.complex(z, z))) | 3x4 3x4 4
torch.stft(x, 8, 3, center=False, return_complex=False) | 40
torch.linalg.lu(x)[1] + torch.linalg.lu(x)[0] @ x | 3x3
torch.linalg.lu_solve(*torch.linalg.lu_factor(x), y) + torch.linalg.lu_solve(*torch.linalg.lu_factor(x), y, adjoint=True) | 3x3 3x2
torch.cholesky_solve(y, torch.tril(x) + 3 * torch.eye(3)) + torch.triangular_solve(y, x.triu() + 3 * torch.eye(3), transpose=True)[0] | 3x3 3x2
torch.lu_unpack(*torch.linalg.lu_factor(x))[2] | 2x4x3
torch.linalg.householder_product(x, y) | 4x3 2
torch.linalg.matrix_rank(x) + torch.linalg.matrix_rank(x @ x.mT, hermitian=True) + torch.linalg.matrix_rank(x, atol=9.0) | 2x3x4
torch.linalg.tensorsolve(x, y) | 6x2x3 6
torch.linalg.tensorinv(x, 1) | 6x2x3
torch.linalg.cond(x) + torch.linalg.cond(x, 1) + torch.linalg.vander(y).sum() | 3x3 4
torch.pinverse(x) + torch.linalg.pinv(x, rtol=0.9) | 3x4
torch.unbind_copy(x, 1)[1] + torch.narrow_copy(x, 1, -2, 1).sum(1) + torch.transpose_copy(x, 0, 1)[0] | 3x4
torch.round(x, decimals=3) + torch.round(x * 100, decimals=-1) | 3x4
(x * 1e9).int().float() * 1e-9 + (x * 1e3).to(torch.int8).float() | 12
F.layer_norm(x.half(), (4,)).float() + F.layer_norm(x.half(), (4,), x[0], x[1]).float() | 3x4
F.group_norm(x.half(), 2).float() | 3x4
F.interpolate(x, (7, 9), mode='bilinear') + F.interpolate(x, (7, 9), mode='bicubic', align_corners=True) | 1x2x5x5
F.grid_sample(x, y.tanh(), align_corners=False) + F.grid_sample(x, y.tanh(), align_corners=True) | 1x2x5x5 1x4x4x2
torch.maximum(x, y) | 3x4 3x4
torch.logaddexp(x, y) | 6 6
x.exp() + x.expm1() + x.sigmoid() + x.tanh() | 10
x.abs().log() + x.abs().log1p() + x.abs().sqrt() + x.abs().rsqrt() | 10
x.sin() * x.cos() + x.erf() - x.erfc() | 10
torch.erfinv(x.tanh()) + torch.lgamma(x.abs() + 1) + torch.digamma(x.abs() + 1) | 10
x.round() + x.floor() + x.ceil() + x.trunc() + x.frac() + x.sign() | 10
F.relu(x) + F.gelu(x) + F.silu(x) + F.mish(x) + F.elu(x) + F.celu(x) + F.selu(x) | 12
F.gelu(x, approximate='tanh') + F.leaky_relu(x) + F.hardswish(x) + F.hardsigmoid(x) + F.hardtanh(x) + F.relu6(x) | 12
F.softplus(x) + F.softshrink(x) + F.hardshrink(x) + F.logsigmoid(x) + F.tanhshrink(x) + F.softsign(x) | 12
F.logsigmoid(x.t()) * x.t() + F.logsigmoid(x.unsqueeze(0).transpose(1, 2))[0] | 3x4
F.glu(x, 1) | 3x4
F.softmax(x, 1) + F.log_softmax(x, 0) | 3x4
x.sum() + x.mean() + x.prod() | 3x4
x.sum(1) + x.mean(1) + x.std(1) + x.var(1) | 3x4
x.amax(0) + x.amin(0) + x.logsumexp(0) | 3x4
torch.linalg.vector_norm(x, 2, 1) + x.norm(dim=1) | 3x4
x.max(1)[0] + x.min(1)[0] | 3x4
x.argmax(1) * 10 + x.argmin(1) | 3x4
(x > 0).any(1).int() + (x > 0).all(1).int() | 3x4
x.cumsum(1) + x.cumprod(1) | 3x4
torch.sort(x, 1)[0] | 3x4
torch.topk(x, 2, 1)[1] | 3x4
x.t() + x.transpose(0, 1) | 3x4
x.view(2, 6) + x.reshape(6, 2).t().contiguous() | 3x4
x[1:, ::2] | 3x4
x.permute(2, 0, 1).flatten(1) | 2x3x4
x.unsqueeze(0).expand(2, 3, 4).sum(0) | 3x4
torch.cat([x, y], 1) | 3x4 3x2
torch.stack([x, y], 1) | 3x4 3x4
torch.flip(x, [0]) + torch.roll(x, 1, 1) | 3x4
torch.tril(x) + torch.triu(x, 1) * 2 | 4x4
x.repeat(2, 1) | 3x4
F.pad(x, [1, 2]) | 3x4
F.pad(x, [1, 1, 1, 1], mode='reflect') + F.pad(x, [1, 1, 1, 1], mode='replicate') | 1x1x3x4
torch.mm(x, y) | 3x4 4x5
torch.bmm(x, y) | 2x3x4 2x4x5
torch._grouped_mm(x, y.transpose(1, 2), offs=torch.tensor([1, 3, 4], dtype=torch.int32)) | 4x8 3x6x8
torch._grouped_mm(x, y.t(), offs=torch.tensor([1, 3, 6], dtype=torch.int32)) | 3x4x8 6x8
torch._grouped_mm(x, y.t(), offs=torch.tensor([2, 2, 8], dtype=torch.int32)) | 4x8 6x8
torch._grouped_mm(x, y.transpose(1, 2)) | 3x4x8 3x6x8
torch.addmm(z, x, y, beta=0.5, alpha=2) | 3x4 4x5 3x5
torch.matmul(x, y) | 2x3x4 4x5
torch.einsum('bij,bjk->bik', x, y) | 2x3x4 2x4x5
F.linear(x, y, z) | 3x4 5x4 5
F.conv1d(x, y, z, stride=2, padding=1) | 2x3x9 4x3x3 4
F.conv2d(x, y, z, stride=2, padding=1, dilation=2) | 2x3x9x8 4x3x3x3 4
F.conv2d(x, y, groups=2) | 1x4x5x5 6x2x3x3
F.conv3d(x, y) | 1x2x4x5x6 3x2x2x2x2
F.conv_transpose2d(x, y, z, stride=2, padding=1, output_padding=1) | 2x3x4x5 3x4x3x3 4
F.max_pool2d(x, 3, 2, 1) | 2x3x8x9
F.avg_pool2d(x, 3, 2, 1, count_include_pad=False) | 2x3x8x9
F.adaptive_avg_pool2d(x, (3, 2)) | 2x3x8x9
F.adaptive_max_pool2d(x, 3) | 2x3x8x9
F.batch_norm(x, None, None, training=True) | 4x3x5
torch.native_batch_norm(x * 0.01 + 100, None, None, None, None, True, 0.1, 1e-5)[2] | 3x5x43
F.batch_norm(x * 0.5 + 3, None, None, training=True).abs() | 3x5x43
F.layer_norm(x, (4,), y, z) | 3x4 4 4
F.group_norm(x, 2, y, z) | 2x4x3 4 4
F.instance_norm(x) | 2x3x8
F.local_response_norm(x, 3) | 2x5x4
F.mse_loss(x, y) + F.l1_loss(x, y) + F.smooth_l1_loss(x, y) + F.huber_loss(x, y) | 3x4 3x4
F.binary_cross_entropy_with_logits(x, y.sigmoid()) | 3x4 3x4
F.cross_entropy(x, y.argmax(1)) | 3x4 3x4
F.kl_div(x.log_softmax(1), y.softmax(1), reduction='batchmean') | 3x4 3x4
F.cosine_similarity(x, y) + F.pairwise_distance(x, y) | 3x4 3x4
F.scaled_dot_product_attention(x, y, z) | 2x2x3x4 2x2x5x4 2x2x5x4
F.scaled_dot_product_attention(x, x, x, is_causal=True) | 1x2x4x8
torch.gather(x, 1, x.argsort(1)) | 3x4
torch.index_select(x, 0, x.argmax(0)) | 3x3
x.masked_fill(x > 0, -1.0) | 3x4
torch.cdist(x, y) | 3x4 5x4
F.normalize(x, dim=1) | 3x4
torch.meshgrid(x, y, indexing='ij')[0] | 3 4
torch.outer(x, y) + torch.kron(x, y).view(3, 4) | 3 4
torch.tensor([0, 7, 200], dtype=torch.uint8) % -3 + (torch.tensor([0, 7, 200], dtype=torch.uint8) <= -1) | 1
torch.clamp(torch.tensor([0, 7, 200], dtype=torch.uint8), -1, 2) + torch.fmod(torch.tensor([1, 7, 200], dtype=torch.uint8), -2) | 1
torch.tensor([7, -7, 3], dtype=torch.int32) + 1.5 | 1
torch.tensor([16777217, -7, 3]) % 2.5 + torch.tensor([16777217, -7, 3]) * torch.tensor([1.5, 2.0, 3.0]) | 1
(torch.tensor([16777217, 5]) == torch.tensor([16777216.0, 5.0])).int() + torch.tensor([16777217, 5]) / torch.tensor([16777217, 3]) | 1
torch.isin(torch.tensor([1.0, 65504.0], dtype=torch.float16), torch.tensor([100000, 65503])).int() | 1
F.relu(torch.tensor([9007199254740993, -2])) - 9007199254740990 + F.threshold(torch.tensor([5, -2]), 0.5, 7) | 1
torch.sgn(torch.tensor([float('nan'), -2.0])) + torch.heaviside(torch.tensor([float('nan'), 0.0]), torch.tensor([3.0, 4.0])) | 1
torch.tensor([1e10, -1e10, 3e9, -2.7, 300.5]).to(torch.int32) // 65536 + torch.tensor([1e10, -1e10, 3e9, -2.7, 300.5]).to(torch.int16) | 1
torch.tensor([1e10, -1e10, 3e9, -2.7, 300.5], dtype=torch.float64).to(torch.uint8).int() + torch.tensor([1e5, -1e5, 130.5, -2.7, 300.5]).to(torch.int8) | 1
torch.div(torch.tensor([1.0, 1e10]), torch.tensor([-0.1, -88.0]), rounding_mode='trunc') + torch.tensor([1.0, 1e10]) // torch.tensor([-0.1, -88.0]) | 1
torch.nan_to_num(torch.tensor([float('-inf'), 4.0]) ** 0.5, 5.0) + torch.tensor([-0.1, 3.7]) ** -2 + torch.tensor([-0.1, 3.7]) ** 3 | 1
(torch.tensor([-0.1, 3.7]).to(torch.bfloat16) ** 3).float() + (torch.tensor([-0.1, 3.7]).half() ** 3).float() | 1
torch.nextafter(torch.tensor([1.0, -2.0, 0.0]).half(), torch.tensor([2.0, 2.0, -1.0]).half()).float() + torch.nextafter(torch.tensor([1.0, -2.0, 0.0]), torch.tensor([2.0, 2.0, -1.0]).double()) | 1
torch.cross(x.half(), y.half(), dim=1).float() | 9x3 9x3
torch.lerp(x.half(), y.half(), 0.4).float() | 40 40
torch.addbmm(x.half(), y.half(), z.half()).float() | 4x5 6x4x3 6x3x5
F.bilinear(x.half(), y.half(), z.half()).float() | 6x3 6x4 5x3x4
F.batch_norm(x.half(), None, None, training=True).float() | 4x3x5
F.instance_norm(x.half()).float() | 2x3x9
F.interpolate(x.half(), size=7, mode='linear').float() | 2x3x5
F.interpolate(x.half(), size=(5, 6), mode='bicubic').float() | 1x2x4x4
F.adaptive_avg_pool3d(x.half(), (2, 2, 2)).float() | 2x3x5x6x7
F.mse_loss(x.half(), y.half(), reduction='none').float() | 20 20
F.mse_loss(x.half(), y.half()).float() | 21 21
torch.prod(x.half(), 1).float() | 9x5
torch.softmax(x.half(), 0).float() | 6x5
torch.log_softmax(x.half(), 1).float() | 6x5
F.grid_sample(x.half(), y.half(), align_corners=False).float() | 2x3x4x5 2x4x4x2
F.grid_sample(x.half(), y.half(), mode='bicubic', padding_mode='reflection', align_corners=True).float() | 2x3x4x5 2x4x4x2
torch.div(x.half() * 40, (y.abs() + 0.1).half(), rounding_mode='trunc').float() | 60 60
torch.cross(x.bfloat16(), y.bfloat16(), dim=1).float() | 9x3 9x3
torch.lerp(x.bfloat16(), y.bfloat16(), 0.4).float() | 40 40
torch.addbmm(x.bfloat16(), y.bfloat16(), z.bfloat16()).float() | 4x5 6x4x3 6x3x5
F.bilinear(x.bfloat16(), y.bfloat16(), z.bfloat16()).float() | 6x3 6x4 5x3x4
F.batch_norm(x.bfloat16(), None, None, training=True).float() | 4x3x5
F.instance_norm(x.bfloat16()).float() | 2x3x9
F.interpolate(x.bfloat16(), size=7, mode='linear').float() | 2x3x5
F.interpolate(x.bfloat16(), size=(5, 6), mode='bicubic').float() | 1x2x4x4
F.adaptive_avg_pool3d(x.bfloat16(), (2, 2, 2)).float() | 2x3x5x6x7
F.mse_loss(x.bfloat16(), y.bfloat16(), reduction='none').float() | 20 20
F.mse_loss(x.bfloat16(), y.bfloat16()).float() | 21 21
torch.prod(x.bfloat16(), 1).float() | 9x5
torch.softmax(x.bfloat16(), 0).float() | 6x5
torch.log_softmax(x.bfloat16(), 1).float() | 6x5
F.grid_sample(x.bfloat16(), y.bfloat16(), align_corners=False).float() | 2x3x4x5 2x4x4x2
F.grid_sample(x.bfloat16(), y.bfloat16(), mode='bicubic', padding_mode='reflection', align_corners=True).float() | 2x3x4x5 2x4x4x2
torch.div(x.bfloat16() * 40, (y.abs() + 0.1).bfloat16(), rounding_mode='trunc').float() | 60 60
torch.ldexp(torch.tensor([0.0, 1.5]), torch.tensor([255, 3])) + torch.ldexp(torch.tensor([2.0, 1.5]), torch.tensor([-2.0, 3.5])) | 1
torch.special.log_ndtr(torch.tensor([-1e4, -30.0, -1.0, 4.0], dtype=torch.float64)) + torch.special.ndtri(torch.tensor([1e-8, 0.2, 0.5, 0.9999], dtype=torch.float64)) | 1
torch.polygamma(1, torch.tensor([-2.5, 0.1, 3.0])) + torch.digamma(torch.tensor([-2.5, 0.1, 3.0])) + torch.erfinv(torch.tensor([1e-8, 0.3, -0.999])) | 1
torch.lerp(x, y, 0.7) + torch.addcdiv(x, y, z.abs() + 1, value=-0.3) | 20 20 20
torch.view_as_real(torch.exp2(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.expm1(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.log10(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.log1p(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.log2(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.sinc(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.positive(torch.view_as_complex(x))) | 6x2
torch.view_as_real(F.silu(torch.view_as_complex(x))) | 6x2
torch.view_as_real(torch.lerp(torch.view_as_complex(x), torch.view_as_complex(y), torch.view_as_complex(z))) | 6x2 6x2 6x2
torch.view_as_real(torch.logaddexp(torch.view_as_complex(x), torch.view_as_complex(y))) | 6x2 6x2
torch.logical_xor(torch.view_as_complex(x.relu()), torch.view_as_complex(y.relu())).int() + torch.logical_and(torch.view_as_complex(x.relu()), torch.view_as_complex(y.relu())).int() * 2 + torch.logical_or(torch.view_as_complex(x.relu()), torch.view_as_complex(y.relu())).int() * 4 | 20x2 20x2
torch.logical_not(torch.view_as_complex(x.relu())).int() + torch.isnan(torch.log(torch.view_as_complex(x.relu() - x.relu()))).int() * 2 + torch.isinf(torch.log(torch.view_as_complex(x.relu()))).int() * 4 | 20x2
torch.view_as_real(torch.prod(torch.view_as_complex(x), 1)) + torch.view_as_real(torch.prod(torch.view_as_complex(x), 0, keepdim=True)).sum() | 3x4x2
torch.view_as_real(torch.prod(torch.view_as_complex(x))) | 3x4x2
torch.view_as_real(torch.cumsum(torch.view_as_complex(x), 0)) + torch.view_as_real(torch.cumprod(torch.view_as_complex(x), 1)) | 3x4x2
torch.var(torch.view_as_complex(x), 1) + torch.std(torch.view_as_complex(x), 1, keepdim=True).sum() | 3x4x2
torch.var_mean(torch.view_as_complex(x), 0)[0] + torch.view_as_real(torch.var_mean(torch.view_as_complex(x), 0)[1]).sum(1) | 3x4x2
(x.half() * torch.tensor(0.1) + x.half() * 0.1 + torch.atan2(x.half(), torch.tensor(0.1))).float() | 20
sum(t.sum() for t in aten._native_batch_norm_legit_no_training(x, y, z, y * 0.1, z.abs() + 0.5, 0.1, 1e-5)) | 2x3x4 3 3
torch.cat([t.flatten().float() for t in aten._native_batch_norm_legit_functional(x, y, z, y * 0.1, z.abs() + 0.5, True, 0.1, 1e-5)]) | 2x3x4 3 3
torch.cat([t.flatten().float() for t in aten._batch_norm_with_update_functional(x, y, z, y * 0.1, z.abs() + 0.5, 0.1, 1e-5)]) | 2x3x4 3 3
torch.cat([t.flatten().float() for t in aten._batch_norm_with_update(x, None, z, y, z.abs() + 0.5, 0.1, 1e-5)]) | 2x3x4 3 3
torch.cat([t.flatten().float() for t in aten._batch_norm_no_update(x, y, None, y, z.abs() + 0.5, 0.1, 1e-5)]) | 2x3x4 3 3
aten.embedding_renorm(x, torch.tensor([0, 2, 2]), 0.7, 3.0) | 3x4
torch.cat(torch.histogram(x, 5)) + torch.cat(torch.histogram(x, torch.tensor([-2.0, -1.0, 0.0, 0.25, 1.0, 3.0]), weight=y, density=True)) | 4x5 4x5
torch.histogram(x, 4, range=(-1.0, 1.0), weight=y)[0] + torch.histogram(torch.ones(3), 4)[1][0] | 20 20
torch.histogramdd(x, [2, 3], weight=y, density=True)[0] + torch.histogramdd(x, [2, 3], range=[-1.0, 1.0, -2.0, 2.0])[0] | 9x2 9
torch.histogramdd(x, [y.sort()[0], z.sort()[0]])[0] + torch.histogramdd(x, 4)[1][1].sum() | 9x2 4 5
(torch.hash_tensor(x, 1).view(torch.int64) // 4194304 + torch.hash_tensor((x * 9).long(), 1).view(torch.int64)) // 281474976710656 | 3x4
torch.segment_reduce(x, 'sum', lengths=torch.tensor([2, 0, 3])) + torch.segment_reduce(x, 'prod', offsets=torch.tensor([0, 1, 2, 5]), initial=2) | 5x2
torch.nan_to_num(torch.segment_reduce(x, 'mean', lengths=torch.tensor([[2, 0, 1], [0, 1, 2]]), axis=1), 7.0) | 2x3x2
torch.segment_reduce(x, 'max', lengths=torch.tensor([[2, 0, 1], [0, 1, 2]]), axis=1, initial=0.5) | 2x3x2
torch.segment_reduce(x, 'min', offsets=torch.tensor([[0, 2, 3], [0, 1, 3]]), axis=1) | 2x3x2
aten._chunk_cat([x, y], 0, 3) | 5x3 4x2x2
aten._unsafe_masked_index(x, torch.tensor([[True, False], [True, True], [False, True]]), [torch.tensor([[-9], [2], [7]]), torch.tensor([0, 9])], 0.5) | 5x4
aten._unsafe_masked_index_put_accumulate(x, torch.tensor([[True, False], [True, True], [False, True]]), [torch.tensor([[-9], [2], [7]]), torch.tensor([0, 9])], y) | 5x4 3x2
torch.view_as_real(torch.linalg.eig(x)[1]).sum(-1) + torch.view_as_real(torch.linalg.eigvals(x)).sum(-1)[:, None] | 2x4x4
torch.view_as_real(torch.linalg.eig(x.double())[1]).sum(-1) + torch.view_as_real(torch.linalg.eig(x.double())[0]).sum(-1)[:, None] | 2x6x6
torch.view_as_real(torch.linalg.eigvals(torch.tensor([[1.0, 2, 3, 4], [0, 5, 0, 0], [0, 6, 7e4, 8e-3], [0, 9, -1e-3, 7e4]]))).sum(1) | 1
torch.view_as_real(torch.linalg.eig(torch.tensor([[1.0, 2, 3, 4], [0, 5, 0, 0], [0, 6, 7e4, 8e-3], [0, 9, -1e-3, 7e4]]).double())[1]).sum(-1) | 1
torch.geqrf(x)[0] + torch.geqrf(x)[1].sum() | 2x5x3
torch.ormqr(*torch.geqrf(x), y, True, True) + torch.ormqr(*torch.geqrf(x), y.mT, False).mT | 2x4x3 2x4x5
torch.linalg.ldl_factor(x @ x.mT - 9 * y)[0] + torch.linalg.ldl_factor(x + x.mT)[1].unsqueeze(1) | 2x6x6 2x6x6
torch.linalg.ldl_solve(*torch.linalg.ldl_factor(x + x.mT), y) + torch.linalg.ldl_factor_ex(torch.zeros(6, 6))[2] | 2x6x6 6x2
aten.sigmoid_backward(x, y) + aten.tanh_backward(x, y) + aten.silu_backward(x, y) + aten.mish_backward(x, y) + aten.gelu_backward(x, y) | 20 20
aten.gelu_backward(x, y, approximate='tanh') + aten.threshold_backward(x, y, 0.3) + aten.hardtanh_backward(x, y, -0.5, 0.4) + aten.hardsigmoid_backward(x, y * 3) | 20 20
aten.hardswish_backward(x, y * 3) + aten.leaky_relu_backward(x, y, 0.1, False) + aten.elu_backward(x, 1.5, 1.1, 0.7, False, y) + aten.elu_backward(x, 1.5, 1.1, 0.7, True, y) | 20 20
aten.softplus_backward(x, y * 9, 2.0, 8.0) + aten.softshrink_backward(x, y, 0.5) + aten.hardshrink_backward(x, y, 0.5) + aten.logit_backward(x, y.sigmoid(), 0.3) | 20 20
aten.logit_backward(x, y.sigmoid()) + aten.native_dropout_backward(x, y > 0, 1.25) | 20 20
aten._softmax_backward_data(x, y.softmax(1), 1, torch.float32) + aten._log_softmax_backward_data(x, y.log_softmax(0), 0, torch.float32) | 2x3x4 2x3x4
aten.max_pool2d_with_indices_backward(y, x, [3, 2], [2, 1], [1, 0], [1, 1], False, F.max_pool2d(x, [3, 2], [2, 1], [1, 0], return_indices=True)[1]) | 1x2x5x4 1x2x3x3
aten.avg_pool2d_backward(y, x, [3, 2], [2, 1], [1, 0], False, False, None) + aten.avg_pool2d_backward(y, x, [3, 2], [2, 1], [1, 0], False, True, 5) | 1x2x5x4 1x2x3x3
aten.avg_pool2d_backward(y, x, [2, 2], [], [0, 0], True, True, None) + aten._adaptive_avg_pool2d_backward(y, x) | 1x2x5x3 1x2x3x2
aten.embedding_dense_backward(x, torch.tensor([[1, 0], [1, 3]]), 5, -1, True) + aten.embedding_dense_backward(x, torch.tensor([[1, 0], [1, 3]]), 5, 0, False) | 2x2x3
aten.slice_backward(x, [4, 7], 1, 1, 6, 2) + aten.select_backward(y, [4, 7], 0, -2) | 4x3 7
(x * 200).to(torch.float8_e4m3fn).to(torch.float32) | 400
(x * 0.01).to(torch.float8_e4m3fn).to(torch.float64) + (x * 1e-3).to(torch.float8_e4m3fn).to(torch.float32) | 400
(x * 9000).to(torch.float8_e5m2).to(torch.float16) + (x * 1e-5).to(torch.float8_e5m2).float() | 400
(x * 60).to(torch.float8_e4m3fnuz).float() + (x * 1e-3).to(torch.float8_e4m3fnuz).float() | 400
(x * 9000).to(torch.float8_e5m2fnuz).float() + (x * 1e-5).to(torch.float8_e5m2fnuz).float() | 400
(x.abs() * 9).to(torch.float8_e8m0fnu).float() | 400
(x * 9).to(torch.int64).to(torch.float8_e4m3fn).to(torch.int32) | 400
x.half().to(torch.float8_e5m2).bfloat16().to(torch.float8_e4m3fn).float() | 40
x.to(torch.complex64).to(torch.float32) * 2 | 5x4
torch.fft.fft(x.to(torch.complex128), dim=0).real | 5x4
""".strip().split("\n")

# Statements; what fails is "!".
PROGRAMS = """
y = x.t(); y.add_(1); return torch.cat([x.flatten(), y.flatten()]) | 4x3
y = x.view(2, 2, 3); y.transpose_(0, 2); y.add_(1); return x * 2 + y.sum() | 4x3
x.t_(); return x * 2 | 4x3
x.squeeze_().unsqueeze_(1); return x + 1 | 4x3
y = x.diagonal(); y.zero_(); x[0] = 5; x[:, 1] = x[:, 0]; return x | 4x3
x[[0, 1]] = x[[1, 0]]; x[:, [0, 2]] += 1.5; return x[:, [2, 1, 0]] * torch.arange(3) | 4x3
y = x[..., None]; y += 1; x[torch.tensor([True, False, True, False])] *= 2; return x | 4x3
a, b = x.chunk(2, 0); b.copy_(a); return x | 4x3
y = torch.as_strided(x, (2, 2), (3, 1), 4); y.mul_(3); return x | 4x3
y = x.expand(2, 4, 3); y.add_(1); return y | 4x3
y = torch.zeros(3).expand(4, 3); y.copy_(x); return y | 4x3
x[1:].copy_(x[:-1]); return x | 4x3
x.sub_(x[0]); return x | 4x3
y = (x * 3).to(torch.int64); y.add_(1.5); return y | 4x3
y = (x * 3).to(torch.int64); y.copy_(torch.tensor([1.7, -2.7, 300.0])); return y | 4x3
y = (x * 3).to(torch.int32); y <<= 1; y >>= 2; return y.where(y > 0, -3) | 4x3
y = x.half(); y.remainder_(0.3); return y.float() | 4x3
y = x.new_zeros(3); y.fill_(2.9); y[1] = 7; return y | 4x3
""".strip().split("\n")

# Model | shapes of inputs; each in eval and in train mode.
RUNS = """
resnet18 | 2x3x64x65
Sequential(Conv2d(3, 8, 3, padding=1, padding_mode='reflect'), BatchNorm2d(8, momentum=None), ReLU(), Dropout(0.3), MaxPool2d(2, ceil_mode=True), Flatten(1), Linear(160, 4)) | 3x3x9x7
Sequential(ConvTranspose2d(4, 8, 3, stride=3, padding=1, output_padding=2, groups=2), InstanceNorm2d(8, affine=True, track_running_stats=True), Hardswish()) | 2x4x5x4
LSTM(5, 7, 2, batch_first=True, bidirectional=True, dropout=0.3, proj_size=3) | 3x4x5
GRU(5, 7, 2, bias=False) | 3x4x5
MultiheadAttention(8, 2, dropout=0.2, add_bias_kv=True, add_zero_attn=True) | 3x2x8 5x2x8 5x2x8
TransformerEncoderLayer(8, 2, 16, activation='gelu', norm_first=True) | 3x4x8
Transformer(8, 2, 1, 1, 16, batch_first=True) | 2x3x8 2x5x8
Sequential(Conv1d(4, 6, 3, dilation=2), GroupNorm(2, 6), GELU('tanh'), AvgPool1d(3, 2, 1, count_include_pad=False), LPPool1d(2, 2)) | 2x4x17
Sequential(LazyConv1d(6, 3), LazyBatchNorm1d(), LazyLinear(4)) | 2x3x9
Sequential(Conv3d(2, 4, 2, groups=2), BatchNorm3d(4, affine=False), AdaptiveMaxPool3d(2), AlphaDropout(0.2)) | 2x2x5x6x4
Sequential(Linear(6, 8), RReLU(), LayerNorm(8), Dropout1d(0.4), Softmin(1)) | 5x6
Bilinear(3, 4, 5) | 2x3 2x4
HuberLoss(reduction='sum', delta=0.3) | 3x4 3x4
Sequential(Conv2d(3, 4, 3), ReLU()) | 0x3x5x5
""".strip().split("\n")

MODULES = """
Linear(10, 20)
Conv2d(3, 8, 3, groups=1)
Conv1d(4, 8, 3, bias=False)
ConvTranspose2d(4, 6, 3, groups=2)
BatchNorm2d(5)
LSTM(4, 5, 2, bidirectional=True)
GRU(4, 5)
LSTMCell(3, 4)
Embedding(10, 5, padding_idx=2)
MultiheadAttention(8, 2)
MultiheadAttention(8, 2, kdim=5, vdim=6, add_bias_kv=True)
TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 2)
Transformer(8, 2, 1, 1, 16)
Bilinear(3, 4, 5)
PReLU(3)
LayerNorm(8)
Sequential(Linear(3, 4), ReLU(), Linear(4, 5))
Linear(3, 3, dtype=torch.float64)
ParameterList([Parameter(torch.randn(5, 4) * 0.02), Parameter(torch.rand(3, 3).mul(2) - 1), Parameter(torch.arange(5, dtype=torch.float32))])
ParameterList([init.orthogonal_(Parameter(torch.empty(5, 7))), init.dirac_(Parameter(torch.empty(6, 3, 3)), 2), init.eye_(Parameter(torch.empty(4, 3)))])
ParameterList([init.trunc_normal_(Parameter(torch.empty(50, 7)), a=-0.5, b=0.5), init.trunc_normal_(Parameter(torch.empty(50, 7)), a=0.1, b=0.3)])
ParameterList([init.trunc_normal_(Parameter(torch.empty(30, 3, dtype=torch.float64)), a=-1, b=2), init.sparse_(Parameter(torch.empty(10, 7)), 0.3)])
ParameterList([init.kaiming_normal_(Parameter(torch.empty(4, 3, 2, 2)), mode='fan_out', nonlinearity='relu'), init.xavier_normal_(Parameter(torch.empty(4, 3)))])
""".strip().split("\n")

# Seed | tensors, made one after the other.
DRAWS = """
0 | torch.rand(100); torch.randn(100); torch.randn(1003); torch.randint(0, 10, (100,))
0 | torch.randn(7); torch.randn(7)
0 | torch.randn(16)
0 | torch.randn(40, dtype=torch.float64)
0 | Linear(10, 20); LSTM(4, 5); MultiheadAttention(8, 2); Embedding(11, 6); Conv2d(3, 8, 3)
0 | init.kaiming_uniform_(torch.empty(8, 3, 3, 3))
1 | torch.rand(0); torch.rand(1); torch.randn(15); torch.randn(17); torch.randn(31)
42 | torch.randn(17, dtype=torch.float16); torch.randn(17, dtype=torch.bfloat16).float(); torch.randn(3, dtype=torch.float16)
2147483648 | torch.rand(20, dtype=torch.float16); torch.rand(20, dtype=torch.bfloat16).float()
9223372036854775807 | torch.randint(-9223372036854775807, 9223372036854775807, (20,)); torch.randperm(20)
-1 | torch.rand(3); torch.randint(0, 1099511627776, (5,)); torch.randint(3, 9, (5,), dtype=torch.uint8)
3 | torch.empty(4, 3, 2).permute(1, 2, 0).normal_(1, 2); torch.empty(4, 20).t().uniform_(-2, 3); torch.empty(4, 20)[:, ::2].bernoulli_(0.4)
3 | torch.empty(3, 4, 5).permute(1, 2, 0).bernoulli_(torch.rand(4, 5, 3)); torch.bernoulli(torch.rand(4, 5, dtype=torch.float64).t())
3 | torch.rand_like(torch.empty(3, 4).t()); torch.randint_like(torch.empty(3, 4).t(), 7); torch.randn_like(torch.empty(3, 4, dtype=torch.float64))
3 | torch.empty(20).uniform_(5, 5); torch.empty(300).uniform_(-0.001, 0.001)
4 | torch.empty(20).exponential_(2.0); torch.empty(20).cauchy_(1, 2); torch.empty(20).log_normal_(0.3, 0.5); torch.empty(20).geometric_(0.3)
4 | torch.empty(9, dtype=torch.int64).random_(); torch.empty(9, dtype=torch.int8).random_(); torch.empty(9, dtype=torch.bool).random_()
4 | torch.empty(9).random_(); torch.empty(9, dtype=torch.float64).random_(); torch.empty(9, dtype=torch.bfloat16).random_().float()
4 | torch.empty(9, dtype=torch.float16).random_(2040, 2051); torch.empty(9).random_(-1000, None); torch.empty(9, dtype=torch.int16).random_(-3, None)
4 | torch.empty(9).random_(-1099511627776, 1099511627776); torch.empty(9, dtype=torch.int64).random_(-9223372036854775807 - 1, None)
5 | torch.normal(0.1, torch.rand(5, dtype=torch.float16)); torch.normal(torch.rand(3, 1), torch.rand(4)); torch.normal(torch.rand(20), 2.0)
5 | torch.normal(0.5, 2.0, (20,)); torch.empty(20).normal_(0, 0)
5 | torch.poisson(torch.full((20,), 3.)); torch.poisson(torch.full((20,), 300.)); torch.poisson(torch.zeros(3)); torch.rand(1)
5 | torch.binomial(torch.full((20,), 100.), torch.rand(20)); torch.binomial(torch.full((20,), 5.), torch.rand(20)); torch.rand(1)
5 | torch.multinomial(torch.rand(30), 20); torch.multinomial(torch.rand(3, 9), 4, True); torch.multinomial(torch.rand(4, 6).t(), 3); torch.rand(1)
6 | F.dropout(torch.ones(3, 4, 5).permute(1, 2, 0), 0.3, True); F.alpha_dropout(torch.ones(20), 0.3, True); F.dropout1d(torch.ones(2, 9, 3), 0.3, True)
6 | F.rrelu(torch.randn(20), training=True); F.gumbel_softmax(torch.randn(3, 5)); F.feature_alpha_dropout(torch.ones(2, 9, 3), 0.3, True)
7 | init.uniform_(torch.empty(4, 3), -0.3, 0.7); init.normal_(torch.empty(5, 4), 0.1, 0.02); init.constant_(torch.empty(2), 0.3)
7 | init.trunc_normal_(torch.empty(4, 3, dtype=torch.float16)); init.trunc_normal_(torch.empty(3, dtype=torch.bfloat16), std=0.5).float(); torch.rand(1)
7 | init.trunc_normal_(torch.empty(50), std=0.02); init.trunc_normal_(torch.empty(300, dtype=torch.float16), mean=5, std=1, a=-1, b=1); torch.rand(1)
7 | init.xavier_uniform_(torch.empty(4, 3, 2), gain=init.calculate_gain('tanh')); init.xavier_normal_(torch.empty(4, 3), gain=2.0)
7 | init.kaiming_uniform_(torch.empty(4, 3), mode='fan_out', nonlinearity='relu'); init.kaiming_normal_(torch.empty(4, 3, 2), a=0.2, nonlinearity='leaky_relu')
7 | init.orthogonal_(torch.empty(3, 5)); init.orthogonal_(torch.empty(8, 4, 3), gain=1.7); init.sparse_(torch.empty(9, 5), 0.45, std=0.5)
7 | init.dirac_(torch.empty(6, 4, 3, 3), 2); init.eye_(torch.empty(4, 3)); torch.rand(1)
8 | torch.empty(40).uniform_().normal_(0, 0.1); torch.empty(3, 21).normal_().uniform_(1, 2).zero_().normal_(); torch.rand(2)
8 | torch.empty(7).normal_().normal_(); torch.empty(5).uniform_().normal_(); torch.empty(20, dtype=torch.float64).normal_().uniform_(); torch.randn(3)
8 | torch.empty(1290).normal_().uniform_().normal_().fill_(0.5); torch.empty(20, dtype=torch.bfloat16).normal_().uniform_().float(); torch.rand(2)
8 | torch.empty(20).uniform_().mul_(2).normal_(); torch.empty(40).normal_()[4:36].uniform_().contiguous(); torch.empty(20).uniform_().clone().normal_(); torch.rand(2)
8 | init.normal_(init.uniform_(torch.empty(4, 5))); init.trunc_normal_(init.kaiming_uniform_(torch.empty(4, 5))); torch.rand(1)
"""[1:-1].split("\n")


def few(t):
    v = t.detach().flatten()
    n = v.numel()
    picked = [v[i * (n - 1) // (min(n, 16) - 1) if n > 1 else 0].item() for i in range(min(n, 16))]
    return " ".join([str(t.dtype)[6:], "x".join(map(str, t.shape))] + [f"{x:.9g}" if isinstance(x, float) else str(int(x)) for x in picked])


def constructor(parts):
    if hasattr(nn, parts[0].split("(")[0]):
        return f"ModuleList([{', '.join(parts)}])"
    return f"ParameterList([{', '.join(f'Parameter({p}, requires_grad=False)' for p in parts)}])"


def sums(t):
    v = t.detach().double().flatten()
    return f"{str(t.dtype)[6:]} {'x'.join(map(str, t.shape))} {v.sum().item():.9g} {v.abs().sum().item():.9g} {(v * torch.arange(1, v.numel() + 1)).sum().item():.9g}"


def main(root):
    with open(os.path.join(root, "operators.tsv"), "w") as f:
        for row in OPERATORS:
            expression, shapes = (s.strip() for s in row.split("|"))
            torch.manual_seed(0)
            names = dict(zip("xyz", (torch.randn([int(n) for n in s.split("x")]) for s in shapes.split())))
            f.write(f"{expression}\t{shapes}\t{sums(eval(expression, globals(), names))}\n")
        for row in PROGRAMS:
            program, shape = (s.strip() for s in row.split(" | "))
            torch.manual_seed(0)
            space = dict(globals())
            exec("def run(x):\n" + "".join(f"    {s}\n" for s in program.split("; ")), space)
            try:
                answer = sums(space["run"](torch.randn([int(n) for n in shape.split("x")])))
            except RuntimeError:
                answer = "!"
            f.write(f"{program}\t{shape}\t{answer}\n")
    with open(os.path.join(root, "runs.tsv"), "w") as f:
        for row in RUNS:
            for mode in ("eval", "train"):
                expression, shapes = (s.strip() for s in row.split(" | "))
                torch.manual_seed(0)
                model = torchvision.models.resnet18() if expression == "resnet18" else eval(expression)
                sizes = [[int(n) for n in s.split("x")] for s in shapes.split()]
                if "Lazy" in expression:        # lazy modules draw in their first call
                    model.eval()(*map(torch.zeros, sizes))
                inputs = [torch.randn(size) for size in sizes]
                with torch.no_grad():
                    outputs = model.train(mode == "train")(*inputs)
                outputs = [t for t in (outputs if isinstance(outputs, tuple) else [outputs]) for t in (t if isinstance(t, tuple) else [t])]
                f.write("\t".join([expression, mode, shapes] + [few(t) for t in outputs]) + "\n")
    with open(os.path.join(root, "modules.tsv"), "w") as f:
        for expression in MODULES:
            torch.manual_seed(0)
            state = eval(expression).state_dict()
            f.write(expression + "".join(f"\t{k} {sums(v)}" for k, v in state.items()) + "\n")
    with open(os.path.join(root, "draws.tsv"), "w") as f:
        for row in DRAWS:
            seed, parts = (s.strip() for s in row.split(" | "))
            expression = constructor(parts.split("; "))
            torch.manual_seed(int(seed))
            f.write("\t".join([seed, expression] + [few(t) for t in eval(expression).state_dict().values()]) + "\n")


main(sys.argv[1])
