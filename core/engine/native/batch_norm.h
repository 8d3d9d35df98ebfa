/// Batch normalisation with what follows it in a block: y = activation(normalised(x) + residual).
#pragma once

namespace contexture {

/// Registers ContextureBatchNorm and ContextureBatchNormGrad.
void registerBatchNorm();

}  // namespace contexture
