#include "winograd.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "kernel.h"
#include "parallel.h"
#include "winograd_tiles.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace contexture {

int winogradLanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return 16;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 8;
#endif
  return 0;
}

// Asked once: on a virtual machine each answer takes as long as a small convolution.
#if defined(__x86_64__)
bool winogradBfloat16() {
  unsigned int a, b, c, d;
  // AVX512_BF16: leaf 7, subleaf 1, bit 5 of EAX.
  static const bool has = winogradLanes() == 16 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
  return has;
}
bool winogradBfloat16Pays() {
  unsigned int a, b, c, d;
  // AMX-BF16: leaf 7, subleaf 0, bit 22 of EDX.
  static const bool pays = winogradBfloat16() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && !(d >> 22 & 1);
  return pays;
}
#else
bool winogradBfloat16() { return false; }
bool winogradBfloat16Pays() { return false; }
#endif

namespace {

/// Tiles of a block: with what becomes of them they fit a core's own caches.
constexpr int TILES = 16;
/// Blocks that a thread takes at a time.
constexpr int64_t BLOCKS_AT_A_TIME = 16;

struct Layer {
  Maps maps;
  int64_t in, out;
  /// Output channels that lie side by side in the filters: 32 where they are a multiple, else 16.
  int64_t together;
};

/// G g G^T of filters that lie side by side.
template <typename V>
INLINE void transformFilter(const V g[9], V to[POSITIONS]) {
  V columns[4][3];
#pragma GCC unroll 3
  for (int b = 0; b < 3; b++) {
    const V sum = (g[b] + g[6 + b]) * 0.5f, middle = g[3 + b] * 0.5f;
    columns[0][b] = g[b];
    columns[1][b] = sum + middle;
    columns[2][b] = sum - middle;
    columns[3][b] = g[6 + b];
  }
#pragma GCC unroll 4
  for (int a = 0; a < 4; a++) {
    const V sum = (columns[a][0] + columns[a][2]) * 0.5f, middle = columns[a][1] * 0.5f;
    to[a * 4] = columns[a][0];
    to[a * 4 + 1] = sum + middle;
    to[a * 4 + 2] = sum - middle;
    to[a * 4 + 3] = columns[a][2];
  }
}

/// Puts numbers of one input channel down, or of two.
template <typename V>
INLINE void putFilters(const V numbers[1][POSITIONS], int position, float* to) {
  store(to, numbers[0][position]);
}
#if defined(__x86_64__)
INLINE void putFilters(const Sixteen numbers[2][POSITIONS], int position, uint16_t* to) {
  const Pairs first = __builtin_convertvector(halvesOf(numbers[0][position]), Pairs);
  const Pairs second = __builtin_convertvector(halvesOf(numbers[1][position]), Pairs);
  store(to, Pairs(first | second << 16));
}
#endif

/// G g G^T of the filters of 16 input channels: [position, out / together, in, together], or in bfloat16, with input
/// channels by pairs, [position, out / together, in / 2, together, 2].
/// @param transposed the filters of the gradient in the input: turned by 180 degrees, from `out` to `in` channels
template <typename V, typename E>
INLINE void transformFilters(const Layer& s, const float* kernel, bool transposed, int64_t first, E* to) {
  for (int64_t i = first; i < first + CHANNELS; i += PAIR<E>) {
    for (int64_t o = 0; o < s.out; o += LANES<V>) {
      V numbers[PAIR<E>][POSITIONS];
      for (int64_t p = 0; p < PAIR<E>; p++) {
        V g[9];
        for (int k = 0; k < 9; k++) {
          if (transposed) {
            float side[LANES<V>];
            for (int lane = 0; lane < LANES<V>; lane++) side[lane] = kernel[((8 - k) * s.out + o + lane) * s.in + i + p];
            load(side, g[k]);
          } else {
            load(kernel + (k * s.in + i + p) * s.out + o, g[k]);
          }
        }
        transformFilter(g, numbers[p]);
      }
      E* at = to + o / s.together * s.together * s.in + i * s.together + o % s.together * PAIR<E>;
#pragma GCC unroll 16
      for (int position = 0; position < POSITIONS; position++) {
        putFilters(numbers, position, at + position * s.in * s.out);
      }
    }
  }
}

/// m[t][o] = sum over c of v[t][c] u[c][o] at one position, for COUNT tiles and VECTORS of output channels, in registers.
/// `m` has one address for each vector.
template <typename V, int COUNT, int VECTORS, typename E>
INLINE void multiply(const E* v, const E* u, int64_t in, float* const m[VECTORS]) {
  V sums[COUNT][VECTORS] = {};
  for (int64_t c = 0; c < in; c += CHANNELS) {
#pragma GCC unroll 4
    for (int i = 0; i < CHANNELS; i += PAIR<E>) {
      Factors<V, E> filters[VECTORS];
#pragma GCC unroll 8
      for (int o = 0; o < VECTORS; o++) load(u + (i * VECTORS + o * PAIR<E>) * LANES<V>, filters[o]);
#pragma GCC unroll 16
      for (int t = 0; t < COUNT; t++) {
#pragma GCC unroll 8
        for (int o = 0; o < VECTORS; o++) addProducts(sums[t][o], filters[o], v + t * CHANNELS + i);
      }
    }
    u += CHANNELS * VECTORS * LANES<V>;
    v += atPosition<TILES>(POSITIONS);
  }
#pragma GCC unroll 16
  for (int t = 0; t < COUNT; t++) {
#pragma GCC unroll 8
    for (int o = 0; o < VECTORS; o++) store(m[o] + t * CHANNELS, sums[t][o]);
  }
}

/// All tiles and output channels at one position.
template <typename V, int COUNT, int VECTORS, typename E>
INLINE void multiplyAll(const Layer& s, int position, const E* v, const E* u, float* m) {
  u += position * s.in * s.out;
  for (int64_t o = 0; o < s.out; o += VECTORS * LANES<V>) {
    for (int64_t t = 0; t < TILES; t += COUNT) {
      float* to[VECTORS];
#pragma GCC unroll 8
      for (int k = 0; k < VECTORS; k++) {
        to[k] = m + atChannel<TILES>(o + k * LANES<V>) + atPosition<TILES>(position) + t * CHANNELS;
      }
      multiply<V, COUNT, VECTORS>(v + atPosition<TILES>(position) + t * CHANNELS, u + o * s.in, s.in, to);
    }
  }
}

/// y = A^T m A for `count` tiles from `first` on.
template <typename V, typename E>
INLINE void writeTiles(const Layer& s, const float* m, int64_t first, int64_t count, E* y) {
  for (int64_t channel = 0; channel < s.out; channel += LANES<V>) {
    Tile tile(s.maps, first);
    for (int64_t t = 0; t < count; t++, tile.next()) {
      const float* from = m + atChannel<TILES>(channel) + t * CHANNELS;
      V rows[2][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        V a, b, c, d;
        load(from + atPosition<TILES>(j), a);
        load(from + atPosition<TILES>(4 + j), b);
        load(from + atPosition<TILES>(8 + j), c);
        load(from + atPosition<TILES>(12 + j), d);
        rows[0][j] = a + b + c;
        rows[1][j] = b - c - d;
      }
#pragma GCC unroll 2
      for (int i = 0; i < 2; i++) {
        const int64_t row = tile.row * 2 + i, column = tile.column * 2;
        if (row == s.maps.height) break;
        E* to = y + ((tile.map * s.maps.height + row) * s.maps.width + column) * s.out + channel;
        store(to, V(rows[i][0] + rows[i][1] + rows[i][2]));
        if (column + 1 < s.maps.width) store(to + s.out, V(rows[i][1] - rows[i][2] - rows[i][3]));
      }
    }
  }
}

/// One block of tiles, and the fetching of the one after it (`following` tiles).
template <typename E>
struct Block {
  int64_t first, count, following;
  /// Room for its numbers before and after the multiplication.
  E* v;
  float* m;
};

template <typename V, int COUNT, int VECTORS, typename E>
INLINE void convolveBlock(const Layer& s, const Block<E>& block, const E* x, const E* u, E* y) {
  transformPixels<TILES, V, Pairing::CHANNELS>(s.maps, s.in, x, block.first, block.count, block.v);
  Tile soon(s.maps, block.first + block.count);
  for (int position = 0; position < POSITIONS; position++) {
    if (position < block.following) {
      fetchTile(s.maps, s.in, x, soon, 1);
      fetchTile(s.maps, s.out, y, soon, 0);
      soon.next();
    }
    multiplyAll<V, COUNT, VECTORS>(s, position, block.v, u, block.m);
  }
  writeTiles<V>(s, block.m, block.first, block.count, y);
}
static_assert(TILES == POSITIONS, "one tile is fetched at each position");

#if defined(__x86_64__)
template <typename E>
FOR_AVX512 void transformFilters512(const Layer& s, const float* kernel, bool transposed, int64_t first, E* to) {
  transformFilters<Sixteen>(s, kernel, transposed, first, to);
}
FOR_AVX2 void transformFilters256(const Layer& s, const float* kernel, bool transposed, int64_t first, float* to) {
  transformFilters<Eight>(s, kernel, transposed, first, to);
}
template <typename E>
FOR_AVX512 void convolve512(const Layer& s, const Block<E>& block, const E* x, const E* u, E* y) {
  if (s.together == 32) convolveBlock<Sixteen, 8, 2>(s, block, x, u, y);
  else convolveBlock<Sixteen, 16, 1>(s, block, x, u, y);
}
FOR_AVX2 void convolve256(const Layer& s, const Block<float>& block, const float* x, const float* u, float* y) {
  convolveBlock<Eight, 4, 2>(s, block, x, u, y);
}
#else
template <typename E>
void transformFilters512(const Layer&, const float*, bool, int64_t, E*) {}
template <typename E>
void transformFilters256(const Layer&, const float*, bool, int64_t, E*) {}
template <typename E>
void convolve512(const Layer&, const Block<E>&, const E*, const E*, E*) {}
template <typename E>
void convolve256(const Layer&, const Block<E>&, const E*, const E*, E*) {}
#endif

/// @param lanes floats of the instructions to take
template <typename E>
void transformFilters(int64_t lanes, const Layer& s, const float* kernel, bool transposed, int64_t first, E* to) {
  if constexpr (std::is_same_v<E, float>) {
    if (lanes == 8) return transformFilters256(s, kernel, transposed, first, to);
  }
  transformFilters512(s, kernel, transposed, first, to);
}

/// @param lanes floats of the instructions to take
template <typename E>
void convolve(int64_t lanes, const Layer& s, const Block<E>& block, const E* x, const E* u, E* y) {
  if constexpr (std::is_same_v<E, float>) {
    if (lanes == 8) return convolve256(s, block, x, u, y);
  }
  convolve512(s, block, x, u, y);
}

/// Convolution with 3x3 filters, stride 1, zeros around the maps, or its gradient in the input. No digit depends on the
/// number of threads, the instruction set, or the other maps of the batch.
template <typename E>
class Winograd {
 public:
  using Element = E;
  static constexpr const char* name = "ContextureWinograd";
  /// x [N, H, W, I], kernel [3, 3, I, O]; where transposed, x [N, H, W, O] is the gradient. I, O multiples of 16.
  static constexpr const char* inputs[] = {"x: T", "kernel: float"};
  /// [N, H, W, O], or [N, H, W, I].
  static constexpr const char* outputs[] = {"y: T"};
  /// `lanes` 16 or 8: no more than winogradLanes().
  static constexpr const char* attributes[] = {"T: {float, bfloat16}", "transposed: bool", "lanes: int"};

  static void shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
    TF_ShapeInferenceContextSetUnknownShape(context, status);
  }

  explicit Winograd(TF_OpKernelConstruction* construction)
      : transposed_(attributeBool(construction, "transposed")), lanes_(attributeInt(construction, "lanes")) {}

  void compute(KernelCall& call) const {
    const Shape from = call.shape(0), filters = call.shape(1);
    const int64_t in = transposed_ ? filters[3] : filters[2], out = transposed_ ? filters[2] : filters[3];
    requireWinograd<E>(name, in, out, lanes_);
    const Layer s{{from[0], from[1], from[2]}, in, out, lanes_ == 16 && out % 32 == 0 ? 32 : 16};
    const E* x = call.input<E>(0);
    const float* kernel = call.input(1);
    E* y = call.output<E>(0, {from[0], from[1], from[2], out});
    std::vector<E> u(POSITIONS * in * out);
    parallelFor(in / CHANNELS, [&](size_t part) {
      transformFilters(lanes_, s, kernel, transposed_, part * CHANNELS, u.data());
    });
    const int64_t tiles = s.maps.tiles(), at_a_time = TILES * BLOCKS_AT_A_TIME;
    parallelFor((tiles + at_a_time - 1) / at_a_time, [&](size_t part) {
      const size_t before = atChannel<TILES>(in) * sizeof(E), after = atChannel<TILES>(out) * sizeof(float);
      char* room = roomFor(before + after);
      E* v = reinterpret_cast<E*>(room);
      float* m = reinterpret_cast<float*>(room + before);
      const int64_t end = std::min<int64_t>(tiles, (part + 1) * at_a_time);
      for (int64_t first = part * at_a_time; first < end; first += TILES) {
        const int64_t count = std::min<int64_t>(TILES, end - first);
        const Block<E> block{first, count, std::min<int64_t>(TILES, end - first - count), v, m};
        convolve(lanes_, s, block, x, u.data(), y);
      }
    });
  }

 private:
  bool transposed_;
  int64_t lanes_;
};

}  // namespace

void registerWinograd() { registerKernels<Winograd<float>, Winograd<uint16_t>>(); }

}  // namespace contexture
