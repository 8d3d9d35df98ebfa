/// What our convolutions of 3x3 share: maps cut into tiles of 2x2 pixels, and Winograd's transform of what lies under one.
/// F(2x2, 3x3) of Lavin and Gray 2015 (arXiv 1509.09308, section 4.1): 4x4 pixels and a filter become 16 numbers each,
/// at 16 *positions*, whose products are 2x2 results: 16 multiplications in the place of 36.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "elements.h"
#include "winograd.h"

namespace contexture {

constexpr int POSITIONS = 16;
/// Channels that lie side by side in what is transformed; maps have a multiple of it.
constexpr int64_t CHANNELS = 16;

/// What a processor with AVX-512 and one with AVX2 adds and multiplies at once. Both do the same sums in the same order.
typedef float Sixteen __attribute__((vector_size(64)));
typedef float Eight __attribute__((vector_size(32)));
#define FOR_AVX512 __attribute__((target("avx512f,prefer-vector-width=512")))
#define FOR_AVX2 __attribute__((target("avx2,fma")))

template <typename V>
constexpr int LANES = sizeof(V) / sizeof(float);

template <typename V, typename E>
INLINE void load(const E* from, V& lanes) {
  typedef V Anywhere __attribute__((aligned(sizeof(E)), may_alias));
  lanes = *reinterpret_cast<const Anywhere*>(from);
}
template <typename V, typename E>
INLINE void store(E* to, const V& lanes) {
  typedef V Anywhere __attribute__((aligned(sizeof(E)), may_alias));
  *reinterpret_cast<Anywhere*>(to) = lanes;
}

/// Two bfloat16 side by side, sixteen times.
typedef uint32_t Pairs __attribute__((vector_size(64)));

/// What is multiplied at once, in pairs if it is bfloat16.
template <typename V, typename E>
using Factors = std::conditional_t<std::is_same_v<E, float>, V, Pairs>;

/// sums[i] += a[i] b[0]
template <typename V>
INLINE void addProducts(V& sums, const V& a, const float* b) {
  sums += a * *b;
}

#if defined(__x86_64__)
/// What a processor with AVX512_BF16 does with pairs of bfloat16. By name, not by the compiler's functions for them: those
/// change their types from one version to the next and are refused in code that is compiled for several processors.
typedef uint16_t Halves __attribute__((vector_size(32)));

INLINE void load(const uint16_t* from, Sixteen& lanes) {
  Halves halves;
  load<Halves>(from, halves);
  lanes = reinterpret_cast<Sixteen>(__builtin_convertvector(halves, Pairs) << 16);
}
/// To the nearest, ties to even.
INLINE Halves halvesOf(const Sixteen& lanes) {
  Halves halves;
  asm("vcvtneps2bf16 %1, %0" : "=v"(halves) : "v"(lanes));
  return halves;
}
INLINE void store(uint16_t* to, const Sixteen& lanes) { store<Halves>(to, halvesOf(lanes)); }
/// sums[i] += a[2 i] b[0] + a[2 i + 1] b[1]
INLINE void addProducts(Sixteen& sums, const Pairs& a, const uint16_t* b) {
  typedef uint32_t Pair __attribute__((aligned(4), may_alias));
  asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sums) : "v"(a), "m"(*reinterpret_cast<const Pair*>(b)));
}
#endif

/// The size of a batch of maps, NHWC. Its tiles are numbered row by row, map by map; those at an odd edge reach over it.
struct Maps {
  int64_t batch, height, width;

  int64_t tileRows() const { return (height + 1) / 2; }
  int64_t tileColumns() const { return (width + 1) / 2; }
  int64_t tiles() const { return batch * tileRows() * tileColumns(); }
};

/// Walks through tiles in order.
struct Tile {
  int64_t rows, columns;
  int64_t map, row, column;

  INLINE Tile(const Maps& maps, int64_t tile)
      : rows(maps.tileRows()),
        columns(maps.tileColumns()),
        map(tile / (rows * columns)),
        row(tile / columns % rows),
        column(tile % columns) {}

  INLINE void next() {
    if (++column < columns) return;
    column = 0;
    if (++row < rows) return;
    row = 0;
    map++;
  }
};

/// Where the 16 numbers of ROOM tiles lie: [channels / 16, position, tile, 16], with room for two tiles more at each
/// position, or all positions would compete for the same few places of a cache.
template <int ROOM>
constexpr int64_t atPosition(int position) {
  return position * (ROOM + 2) * CHANNELS;
}
template <int ROOM>
constexpr int64_t atChannel(int64_t channel) {
  return channel / CHANNELS * atPosition<ROOM>(POSITIONS) + channel % CHANNELS;
}

/// How many numbers lie side by side to be multiplied at once by as many.
template <typename E>
constexpr int64_t PAIR = sizeof(float) / sizeof(E);
/// Which, if it is two: those of neighbouring channels, as above, or those of two tiles of a channel:
/// [channels / 16, position, tile / 2, 16, 2].
enum class Pairing { CHANNELS, TILES };

/// Puts numbers of one tile at one position down.
template <Pairing PAIRING, typename V>
INLINE void put(float* position, int64_t tile, const V& lanes) {
  store(position + tile * CHANNELS, lanes);
}
#if defined(__x86_64__)
template <Pairing PAIRING>
INLINE void put(uint16_t* position, int64_t tile, const Sixteen& lanes) {
  if (PAIRING == Pairing::CHANNELS) return store(position + tile * CHANNELS, lanes);
  uint16_t* to = position + tile / 2 * 2 * CHANNELS;
  Pairs pairs = __builtin_convertvector(halvesOf(lanes), Pairs);
  if (tile % 2) {
    Pairs first;
    load(to, first);
    pairs = first | pairs << 16;
  }
  store(to, pairs);
}
#endif

/// B^T d for one column or row of four.
template <typename V>
INLINE void transformFour(const V& a, const V& b, const V& c, const V& d, V to[4]) {
  to[0] = a - c;
  to[1] = b + c;
  to[2] = c - b;
  to[3] = b - d;
}

/// B^T d B of `count` tiles from `first` on: the pixels of x [N, H, W, channels] under a tile and one around it, zero
/// outside of the map. Neighbours share two columns, which are transformed once.
template <int ROOM, typename V, Pairing PAIRING, typename E>
INLINE void transformPixels(const Maps& maps, int64_t channels, const E* x, int64_t first, int64_t count, E* to) {
  for (int64_t channel = 0; channel < channels; channel += LANES<V>) {
    V columns[4][4];
    bool fresh = true;
    Tile tile(maps, first);
    for (int64_t t = 0; t < count; t++) {
      const int64_t top = tile.row * 2 - 1, left = tile.column * 2 - 1;
      const E* corner = x + ((tile.map * maps.height + top) * maps.width + left) * channels + channel;
      const bool inside = top >= 0 && top + 4 <= maps.height && left >= 0 && left + 4 <= maps.width;
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        if (j < 2 && !fresh) continue;
        V pixels[4] = {};
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
          if (inside || (top + i >= 0 && top + i < maps.height && left + j >= 0 && left + j < maps.width)) {
            load(corner + (i * maps.width + j) * channels, pixels[i]);
          }
        }
        transformFour(pixels[0], pixels[1], pixels[2], pixels[3], columns[j]);
      }
      E* numbers = to + atChannel<ROOM>(channel);
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        V row[4];
        transformFour(columns[0][i], columns[1][i], columns[2][i], columns[3][i], row);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) put<PAIRING>(numbers + atPosition<ROOM>(i * 4 + j), t, row[j]);
        columns[0][i] = columns[2][i];
        columns[1][i] = columns[3][i];
      }
      tile.next();
      fresh = tile.column == 0;
    }
  }
}

/// Brings what a tile adds to its neighbours' pixels near the core, or the place of its results: without it the
/// arithmetic waits for memory a fifth of the time.
template <typename E>
INLINE void fetchTile(const Maps& maps, int64_t channels, const E* map, const Tile& tile, int64_t below) {
  for (int i = 0; i < 2; i++) {
    const int64_t row = std::min(tile.row * 2 + i + below, maps.height - 1);
    const E* from = map + ((tile.map * maps.height + row) * maps.width + tile.column * 2) * channels;
    const int64_t values = std::min<int64_t>(2, maps.width - tile.column * 2) * channels;
    for (int64_t i = 0; i < values; i += 64 / sizeof(E)) __builtin_prefetch(from + i);
  }
}

/// Memory of this thread, kept for later calls, in whole cache lines.
inline char* roomFor(size_t bytes) {
  static thread_local std::vector<char> room;
  if (room.size() < bytes + 64) room.resize(bytes + 64);
  return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(room.data()) + 63) / 64 * 64);
}

/// Throws what our convolutions in values of type E cannot do here.
template <typename E>
void requireWinograd(const std::string& name, int64_t in, int64_t out, int64_t lanes) {
  if (in % CHANNELS || out % CHANNELS) throw std::runtime_error(name + " takes multiples of 16 channels");
  if (lanes > winogradLanes()) throw std::runtime_error(name + ": this processor has fewer lanes");
  if (std::is_same_v<E, uint16_t> && !winogradBfloat16()) {
    throw std::runtime_error(name + ": this processor has no AVX512_BF16");
  }
}

}  // namespace contexture
