/// Gradient of a depthwise convolution in its kernel: TensorFlow's runs at a twentieth of the processor's speed for 5x5.
#pragma once

namespace contexture {

/// Registers ContextureDepthwiseFilterGrad.
void registerDepthwiseGradient();

}  // namespace contexture
