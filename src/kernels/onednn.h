// The only room that calls oneDNN (written for 2.6; 3.0 changed the interface). Everything comes in and goes out as
// plain row-major arrays. Each primitive runs on one thread and the work is split here, by shape alone: so the bits do
// not depend on the number of threads, and an image stays in the cache from its reordering to its result.
#pragma once

#include <string>

#include "kernels/convolution.h"

namespace heed::kernels::onednn {

std::string version();

// Both want sizes of at least one, and dbias only together with dweight.
void convolution(const ConvolutionShape& shape, const float* x, const float* weight, const float* bias, float* y);
void convolution_backward(const ConvolutionShape& shape, const ConvolutionGradient<float>& gradient);

}  // namespace heed::kernels::onednn
