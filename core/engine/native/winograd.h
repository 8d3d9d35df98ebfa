/// Convolutions of 3x3 by Winograd's minimal filtering, for processors with AVX2 or AVX-512.
#pragma once

namespace contexture {

/// Floats that this processor works on at once: 16 (AVX-512), 8 (AVX2), or 0 where our kernels do not run.
int winogradLanes();

/// Whether they take bfloat16 on this processor (AVX512_BF16), and whether they are the faster ones then: with AMX oneDNN
/// has better ones.
bool winogradBfloat16();
bool winogradBfloat16Pays();

/// Registers ContextureWinograd and ContextureWinogradFilterGrad.
void registerWinograd();
void registerWinogradGradient();

}  // namespace contexture
