/// Batch normalisation with what follows it in a residual block: y = relu(normalised(x) + residual).
#pragma once

namespace contexture {

/// Registers ContextureBatchNorm and ContextureBatchNormGrad.
void registerBatchNorm();

}  // namespace contexture
