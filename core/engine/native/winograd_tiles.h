/// What our convolutions of 3x3 share: maps cut into tiles of 2x2 pixels, and Winograd's transform of what lies under one.
/// F(2x2, 3x3) of Lavin and Gray 2015 (arXiv 1509.09308, section 4.1): 4x4 pixels and a filter become 16 numbers each,
/// at 16 *positions*, whose products are 2x2 results: 16 multiplications in the place of 36.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "elements.h"

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

template <typename V>
INLINE void load(const float* from, V& lanes) {
  typedef V Anywhere __attribute__((aligned(4), may_alias));
  lanes = *reinterpret_cast<const Anywhere*>(from);
}
template <typename V>
INLINE void store(float* to, const V& lanes) {
  typedef V Anywhere __attribute__((aligned(4), may_alias));
  *reinterpret_cast<Anywhere*>(to) = lanes;
}

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

/// Where the 16 numbers of ROOM tiles lie: [channels / 16, position, tile, 16], with room for one tile more at each
/// position, or all positions would compete for the same few places of a cache.
template <int ROOM>
constexpr int64_t atPosition(int position) {
  return position * (ROOM + 1) * CHANNELS;
}
template <int ROOM>
constexpr int64_t atChannel(int64_t channel) {
  return channel / CHANNELS * atPosition<ROOM>(POSITIONS) + channel % CHANNELS;
}

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
template <int ROOM, typename V>
INLINE void transformPixels(const Maps& maps, int64_t channels, const float* x, int64_t first, int64_t count, float* to) {
  for (int64_t channel = 0; channel < channels; channel += LANES<V>) {
    V columns[4][4];
    bool fresh = true;
    Tile tile(maps, first);
    for (int64_t t = 0; t < count; t++) {
      const int64_t top = tile.row * 2 - 1, left = tile.column * 2 - 1;
      const float* corner = x + ((tile.map * maps.height + top) * maps.width + left) * channels + channel;
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
      float* numbers = to + atChannel<ROOM>(channel) + t * CHANNELS;
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        V row[4];
        transformFour(columns[0][i], columns[1][i], columns[2][i], columns[3][i], row);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) store(numbers + atPosition<ROOM>(i * 4 + j), row[j]);
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
INLINE void fetchTile(const Maps& maps, int64_t channels, const float* map, const Tile& tile, int64_t below) {
  for (int i = 0; i < 2; i++) {
    const int64_t row = std::min(tile.row * 2 + i + below, maps.height - 1);
    const float* from = map + ((tile.map * maps.height + row) * maps.width + tile.column * 2) * channels;
    const int64_t values = std::min<int64_t>(2, maps.width - tile.column * 2) * channels;
    for (int64_t i = 0; i < values; i += CHANNELS) __builtin_prefetch(from + i);
  }
}

/// Memory of this thread for the numbers of so many tiles and channels, kept for later calls, in whole cache lines.
inline float* roomFor(int64_t tiles, int64_t channels) {
  static thread_local std::vector<float> room;
  const size_t values = POSITIONS * (tiles + 1) * channels;
  if (room.size() < values + CHANNELS) room.resize(values + CHANNELS);
  return reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(room.data()) + 63) / 64 * 64);
}

}  // namespace contexture
