#include <algorithm>
#include <type_traits>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "winograd_tiles.h"

namespace contexture {
namespace {

/// Sums are taken over this many parts of the tiles and then in order: they do not depend on the number of threads.
constexpr int64_t PARTS = 8;
struct Layer {
  Maps maps;
  int64_t in, out;

  /// Tiles between two visits to memory with the sums: with few channels, their numbers fit a core's first cache.
  int tilesABlock() const { return in * out <= 256 ? 16 : 32; }
};

/// A dy A^T of `count` tiles from `first` on: 2x2 gradients, zero outside of the map, become 16 numbers.
template <int TILES, typename V, typename E>
INLINE void transformGradients(const Layer& s, const E* dy, int64_t first, int64_t count, E* to) {
  for (int64_t channel = 0; channel < s.out; channel += LANES<V>) {
    Tile tile(s.maps, first);
    for (int64_t t = 0; t < count; t++, tile.next()) {
      const int64_t row = tile.row * 2, column = tile.column * 2;
      const E* from = dy + ((tile.map * s.maps.height + row) * s.maps.width + column) * s.out + channel;
      V g[2][2] = {};
#pragma GCC unroll 2
      for (int i = 0; i < 2; i++) {
        if (row + i == s.maps.height) break;
        load(from + i * s.maps.width * s.out, g[i][0]);
        if (column + 1 < s.maps.width) load(from + (i * s.maps.width + 1) * s.out, g[i][1]);
      }
      E* numbers = to + atChannel<TILES>(channel);
      const V rows[4][2] = {{g[0][0], g[0][1]},
                            {g[0][0] + g[1][0], g[0][1] + g[1][1]},
                            {g[0][0] - g[1][0], g[0][1] - g[1][1]},
                            {-g[1][0], -g[1][1]}};
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        put<Pairing::TILES>(numbers + atPosition<TILES>(i * 4), t, rows[i][0]);
        put<Pairing::TILES>(numbers + atPosition<TILES>(i * 4 + 1), t, V(rows[i][0] + rows[i][1]));
        put<Pairing::TILES>(numbers + atPosition<TILES>(i * 4 + 2), t, V(rows[i][0] - rows[i][1]));
        put<Pairing::TILES>(numbers + atPosition<TILES>(i * 4 + 3), t, V(-rows[i][1]));
      }
    }
  }
}

/// sums[i][o] += sum over the tiles of v[t][i] w[t][o] for IN input channels and VECTORS of output channels, in registers.
template <typename V, int IN, int VECTORS, typename E>
INLINE void addTiles(const E* v, const E* const w[VECTORS], int64_t count, float* const to[VECTORS]) {
  V sums[IN][VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < IN; i++) {
#pragma GCC unroll 8
    for (int o = 0; o < VECTORS; o++) load(to[o] + i * CHANNELS, sums[i][o]);
  }
#pragma GCC unroll 2
  for (int64_t t = 0; t < count; t += PAIR<E>) {
    Factors<V, E> gradients[VECTORS];
#pragma GCC unroll 8
    for (int o = 0; o < VECTORS; o++) load(w[o] + t * CHANNELS, gradients[o]);
#pragma GCC unroll 16
    for (int i = 0; i < IN; i++) {
#pragma GCC unroll 8
      for (int o = 0; o < VECTORS; o++) addProducts(sums[i][o], gradients[o], v + t * CHANNELS + i * PAIR<E>);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < IN; i++) {
#pragma GCC unroll 8
    for (int o = 0; o < VECTORS; o++) store(to[o] + i * CHANNELS, sums[i][o]);
  }
}

/// A block of tiles. `sums` is [position, out / 16, in, 16].
template <typename E>
struct Block {
  int64_t first, count, following;
  E *v, *w;
  float* sums;
};

template <int TILES, typename V, int IN, int VECTORS, typename E>
INLINE void addBlock(const Layer& s, const Block<E>& block, const E* x, const E* dy) {
  transformPixels<TILES, V, Pairing::TILES>(s.maps, s.in, x, block.first, block.count, block.v);
  transformGradients<TILES, V>(s, dy, block.first, block.count, block.w);
  Tile soon(s.maps, block.first + block.count);
  int64_t fetched = 0;
  for (int position = 0; position < POSITIONS; position++) {
    for (; fetched < std::min<int64_t>(block.following, TILES * (position + 1) / POSITIONS); fetched++, soon.next()) {
      fetchTile(s.maps, s.in, x, soon, 1);
      fetchTile(s.maps, s.out, dy, soon, 0);
    }
    for (int64_t o = 0; o < s.out; o += VECTORS * LANES<V>) {
      for (int64_t i = 0; i < s.in; i += IN) {
        const E* w[VECTORS];
        float* to[VECTORS];
#pragma GCC unroll 8
        for (int k = 0; k < VECTORS; k++) {
          const int64_t channel = o + k * LANES<V>;
          w[k] = block.w + atChannel<TILES>(channel - channel % CHANNELS) + atPosition<TILES>(position) +
                 channel % CHANNELS * PAIR<E>;
          to[k] = block.sums + position * s.in * s.out + channel / CHANNELS * CHANNELS * s.in + i * CHANNELS +
                  channel % CHANNELS;
        }
        const E* v = block.v + atChannel<TILES>(i - i % CHANNELS) + atPosition<TILES>(position) + i % CHANNELS * PAIR<E>;
        addTiles<V, IN, VECTORS>(v, w, block.count, to);
      }
    }
  }
}

#if defined(__x86_64__)
template <typename E>
FOR_AVX512 void addBlock512(const Layer& s, const Block<E>& block, const E* x, const E* dy) {
  if (s.tilesABlock() == 16) addBlock<16, Sixteen, 16, 1>(s, block, x, dy);
  else if (s.out % 32 == 0) addBlock<32, Sixteen, 8, 2>(s, block, x, dy);
  else addBlock<32, Sixteen, 16, 1>(s, block, x, dy);
}
FOR_AVX2 void addBlock256(const Layer& s, const Block<float>& block, const float* x, const float* dy) {
  if (s.tilesABlock() == 16) addBlock<16, Eight, 4, 2>(s, block, x, dy);
  else addBlock<32, Eight, 4, 2>(s, block, x, dy);
}
#else
template <typename E>
void addBlock512(const Layer&, const Block<E>&, const E*, const E*) {}
template <typename E>
void addBlock256(const Layer&, const Block<E>&, const E*, const E*) {}
#endif

/// @param lanes floats of the instructions to take
template <typename E>
void addBlock(int64_t lanes, const Layer& s, const Block<E>& block, const E* x, const E* dy) {
  if constexpr (std::is_same_v<E, float>) {
    if (lanes == 8) return addBlock256(s, block, x, dy);
  }
  addBlock512(s, block, x, dy);
}

/// Gradient of a convolution in its 3x3 filters: G^T (sum over the tiles of (B^T d B) (A dy A^T)) G, where the product is
/// taken position by position. No digit depends on the number of threads or the instruction set.
template <typename E>
class WinogradFilterGradient {
 public:
  using Element = E;
  static constexpr const char* name = "ContextureWinogradFilterGrad";
  /// x [N, H, W, I], dy [N, H, W, O]; I, O multiples of 16.
  static constexpr const char* inputs[] = {"x: T", "dy: T"};
  /// [3, 3, I, O]
  static constexpr const char* outputs[] = {"d_kernel: float"};
  /// `lanes` 16 or 8: no more than winogradLanes().
  static constexpr const char* attributes[] = {"T: {float, bfloat16}", "lanes: int"};

  static void shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
    TF_ShapeInferenceContextSetUnknownShape(context, status);
  }

  explicit WinogradFilterGradient(TF_OpKernelConstruction* construction) : lanes_(attributeInt(construction, "lanes")) {}

  void compute(KernelCall& call) const {
    const Shape from = call.shape(0);
    const Layer s{{from[0], from[1], from[2]}, from[3], call.shape(1)[3]};
    requireWinograd<E>(name, s.in, s.out, lanes_);
    const E *x = call.input<E>(0), *dy = call.input<E>(1);
    const int64_t tiles = s.maps.tiles(), values = POSITIONS * s.in * s.out;
    const int64_t at_a_time = s.tilesABlock();
    std::vector<float> parts(PARTS * values, 0.0f);
    parallelFor(PARTS, [&](size_t part) {
      const int64_t channels = s.in + s.out, room = POSITIONS * (at_a_time + 2);
      E* v = reinterpret_cast<E*>(roomFor(room * channels * sizeof(E)));
      const int64_t end = tiles * (part + 1) / PARTS;
      for (int64_t first = tiles * part / PARTS; first < end; first += at_a_time) {
        const int64_t count = std::min(at_a_time, end - first);
        const Block<E> block{first, count, std::min(at_a_time, end - first - count), v, v + room * s.in,
                             &parts[part * values]};
        addBlock(lanes_, s, block, x, dy);
      }
    });
    float* kernel = call.output(0, {3, 3, s.in, s.out});
    parallelFor(s.in, [&](size_t i) { writeFilters(s, i, parts.data(), kernel); });
  }

 private:
  /// Adds the parts and brings the filters of one input channel back.
  static void writeFilters(const Layer& s, int64_t i, const float* parts, float* kernel) {
    const int64_t values = POSITIONS * s.in * s.out;
    for (int64_t o = 0; o < s.out; o += CHANNELS) {
      float sums[POSITIONS][CHANNELS];
      for (int position = 0; position < POSITIONS; position++) {
        const float* from = parts + position * s.in * s.out + o * s.in + i * CHANNELS;
        std::copy_n(from, CHANNELS, sums[position]);
        for (int64_t part = 1; part < PARTS; part++) {
          for (int c = 0; c < CHANNELS; c++) sums[position][c] += from[part * values + c];
        }
      }
      for (int c = 0; c < CHANNELS; c++) {
        float columns[3][4];
        for (int j = 0; j < 4; j++) {
          const float a = sums[4 + j][c], b = sums[8 + j][c];
          columns[0][j] = sums[j][c] + (a + b) * 0.5f;
          columns[1][j] = (a - b) * 0.5f;
          columns[2][j] = (a + b) * 0.5f + sums[12 + j][c];
        }
        for (int k = 0; k < 3; k++) {
          const float a = columns[k][1], b = columns[k][2];
          float* to = kernel + (k * 3 * s.in + i) * s.out + o + c;
          to[0] = columns[k][0] + (a + b) * 0.5f;
          to[s.in * s.out] = (a - b) * 0.5f;
          to[2 * s.in * s.out] = (a + b) * 0.5f + columns[k][3];
        }
      }
    }
  }

  int64_t lanes_;
};

}  // namespace

void registerWinogradGradient() { registerKernels<WinogradFilterGradient<float>, WinogradFilterGradient<uint16_t>>(); }

}  // namespace contexture
