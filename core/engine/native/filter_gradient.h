/// Gradient of a convolution in its kernel, for processors with AVX2.
#pragma once

namespace contexture {

/// Whether our kernel is the faster one here: with AVX-512 oneDNN has better ones, without AVX2 there is none of ours.
bool filterGradientPays();

/// Registers ContextureFilterGrad.
void registerFilterGradient();

}  // namespace contexture
