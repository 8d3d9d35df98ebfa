/// How kernels read and write maps, and how they are compiled for several processors.
#pragma once

#include <cstdint>
#include <cstring>

// One function compiled for several instruction sets, chosen when it is loaded.
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#define INLINE inline __attribute__((always_inline))

namespace contexture {

/// How a feature map is stored: as float, or as the upper half of one (bfloat16). All arithmetic is on floats.
INLINE float get(const float& value) { return value; }
INLINE float get(const uint16_t& value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}
INLINE void set(float& place, float value) { place = value; }
INLINE void set(uint16_t& place, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  // To the nearest, ties to even; what is not a number stays one.
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  place = static_cast<uint16_t>(value == value ? rounded : 0x7fc0);
}

}  // namespace contexture
