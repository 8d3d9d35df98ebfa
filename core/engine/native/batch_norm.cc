#include "batch_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "elements.h"
#include "kernel.h"
#include "parallel.h"

namespace contexture {
namespace {

/// What is done last to normalised values: an attribute, 0, 1 or 2.
enum Activation { NONE, RELU, RELU6 };

/// What is no number passes through: a run that diverges must be seen to.
template <Activation A>
INLINE float activate(float value) {
  if (A == RELU6 && value > 6) return 6;
  return A != NONE && value < 0 ? 0 : value;
}

/// Whether an activation that gave y changes when its input does.
template <Activation A>
INLINE bool passes(float y) {
  return A == NONE || (y > 0 && (A == RELU || y < 6));
}

/// Values that one thread works on at a time: they fit a core's own cache.
constexpr int64_t VALUES_A_BLOCK = 16384;

/// A batch of feature maps as rows of C channels, cut into blocks of rows. Sums are taken block by block in single
/// precision and over the blocks in double precision, in order: they do not depend on the number of threads.
struct Rows {
  int64_t channels, rows, a_block, blocks;

  explicit Rows(const Shape& shape) : channels(shape.back()), rows(1) {
    for (size_t i = 0; i + 1 < shape.size(); i++) rows *= shape[i];
    a_block = std::max<int64_t>(1, VALUES_A_BLOCK / channels);
    blocks = (rows + a_block - 1) / a_block;
  }

  /// `work(block, first row, number of rows)` for each block.
  template <typename Work>
  void each(Work work) const {
    parallelFor(blocks, [&](size_t block) {
      const int64_t first = block * a_block;
      work(block, first, std::min(a_block, rows - first));
    });
  }

  /// Sum over the blocks of [blocks, channels].
  std::vector<double> total(const std::vector<float>& parts) const {
    std::vector<double> sums(channels, 0.0);
    for (int64_t block = 0; block < blocks; block++) {
      for (int64_t c = 0; c < channels; c++) sums[c] += parts[block * channels + c];
    }
    return sums;
  }
};

/// sum += x - shift and squares += (x - shift)^2, channel by channel.
template <typename E>
INLINE void momentRows(const E* __restrict x, const E* __restrict shift, int64_t rows, int64_t channels,
                       float* __restrict sum, float* __restrict squares) {
  for (int64_t row = 0; row < rows; row++, x += channels) {
    for (int64_t c = 0; c < channels; c++) {
      const float d = get(x[c]) - get(shift[c]);
      sum[c] += d;
      squares[c] += d * d;
    }
  }
}

/// y = activation(a x + b (+ residual)).
template <Activation A, bool RESIDUAL, typename E>
INLINE void scaleRows(const E* __restrict x, const float* __restrict a, const float* __restrict b,
                      const E* __restrict residual, int64_t rows, int64_t channels, E* __restrict y) {
  for (int64_t row = 0; row < rows; row++) {
    const int64_t at = row * channels;
    for (int64_t c = 0; c < channels; c++) {
      float value = a[c] * get(x[at + c]) + b[c];
      if (RESIDUAL) value += get(residual[at + c]);
      set(y[at + c], activate<A>(value));
    }
  }
}

template <Activation A, typename E>
INLINE void scaleWith(const E* x, const float* a, const float* b, const E* residual, int64_t rows, int64_t channels,
                      E* y) {
  if (residual) scaleRows<A, true>(x, a, b, residual, rows, channels, y);
  else scaleRows<A, false>(x, a, b, residual, rows, channels, y);
}

/// sum += g and products += g (x - mean), channel by channel, where g is dy behind the activation; g is kept for the
/// residual.
template <Activation A, bool RESIDUAL, typename E>
INLINE void gradientRows(const E* __restrict dy, const E* __restrict y, const E* __restrict x,
                         const float* __restrict mean, int64_t rows, int64_t channels, float* __restrict sum,
                         float* __restrict products, E* __restrict d_residual) {
  for (int64_t row = 0; row < rows; row++) {
    const int64_t at = row * channels;
    // Chosen as it is stored, and without a doubt about overlaps: else compilers take one value at a time in bfloat16.
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; c++) {
      const E passed = A == NONE || passes<A>(get(y[at + c])) ? dy[at + c] : E(0);
      if (RESIDUAL) d_residual[at + c] = passed;
      const float g = get(passed);
      sum[c] += g;
      products[c] += g * (get(x[at + c]) - mean[c]);
    }
  }
}

template <Activation A, typename E>
INLINE void gradientWith(const E* dy, const E* y, const E* x, const float* mean, int64_t rows, int64_t channels,
                         float* sum, float* products, E* d_residual) {
  if (d_residual) gradientRows<A, true>(dy, y, x, mean, rows, channels, sum, products, d_residual);
  else gradientRows<A, false>(dy, y, x, mean, rows, channels, sum, products, d_residual);
}

/// dx = a g + b x + d, in training; dx = a g where the statistics are given. `dx` may be `dy`.
template <Activation A, bool TRAINING, typename E>
INLINE void inputGradientRows(const E* dy, const E* __restrict y, const E* __restrict x, const float* __restrict a,
                              const float* __restrict b, const float* __restrict d, int64_t rows, int64_t channels,
                              E* dx) {
  for (int64_t row = 0; row < rows; row++) {
    const int64_t at = row * channels;
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; c++) {
      const float g = A == NONE || passes<A>(get(y[at + c])) ? get(dy[at + c]) : 0;
      set(dx[at + c], TRAINING ? a[c] * g + b[c] * get(x[at + c]) + d[c] : a[c] * g);
    }
  }
}

template <Activation A, typename E>
INLINE void inputGradientWith(const E* dy, const E* y, const E* x, const float* a, const float* b, const float* d,
                              bool training, int64_t rows, int64_t channels, E* dx) {
  if (training) inputGradientRows<A, true>(dy, y, x, a, b, d, rows, channels, dx);
  else inputGradientRows<A, false>(dy, y, x, a, b, d, rows, channels, dx);
}

#define FOR_ACTIVATION(activation, work, ...)        \
  if (activation == NONE) work<NONE>(__VA_ARGS__);   \
  if (activation == RELU) work<RELU>(__VA_ARGS__);   \
  if (activation == RELU6) work<RELU6>(__VA_ARGS__);

// Compilers make no versions of a template for several processors, hence these, one for each way to store a map.
#define FOR_ELEMENT(E)                                                                                                 \
  FOR_EACH_PROCESSOR void addMoments(const E* x, const E* shift, int64_t rows, int64_t channels, float* sum,           \
                                     float* squares) {                                                                 \
    momentRows(x, shift, rows, channels, sum, squares);                                                                \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void scale(const E* x, const float* a, const float* b, const E* residual, Activation activation,  \
                                int64_t rows, int64_t channels, E* y) {                                                \
    FOR_ACTIVATION(activation, scaleWith, x, a, b, residual, rows, channels, y)                                        \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void addGradients(const E* dy, const E* y, const E* x, const float* mean, Activation activation,  \
                                       int64_t rows, int64_t channels, float* sum, float* products, E* d_residual) {   \
    FOR_ACTIVATION(activation, gradientWith, dy, y, x, mean, rows, channels, sum, products, d_residual)                \
  }                                                                                                                    \
  FOR_EACH_PROCESSOR void inputGradient(const E* dy, const E* y, const E* x, const float* a, const float* b,           \
                                        const float* d, Activation activation, bool training, int64_t rows,            \
                                        int64_t channels, E* dx) {                                                     \
    FOR_ACTIVATION(activation, inputGradientWith, dy, y, x, a, b, d, training, rows, channels, dx)                     \
  }
FOR_ELEMENT(float)
FOR_ELEMENT(uint16_t)

/// In training the batch's own mean and variance are used and returned, the variance unbiased; in evaluation those given.
template <typename E>
class BatchNorm {
 public:
  using Element = E;
  static constexpr const char* name = "ContextureBatchNorm";
  /// x [..., C]; scale, offset [C]; mean, variance [C] in evaluation, [0] in training; residual like x, or [0].
  static constexpr const char* inputs[] = {"x: T",        "scale: float",    "offset: float",
                                           "mean: float", "variance: float", "residual: T"};
  /// y like x; in training mean, unbiased variance and 1 / sqrt(biased variance + epsilon) of the batch, [C] each.
  static constexpr const char* outputs[] = {"y: T", "batch_mean: float", "batch_variance: float",
                                            "inverse_deviation: float"};
  static constexpr const char* attributes[] = {"T: {float, bfloat16}", "epsilon: float", "training: bool",
                                               "activation: int"};

  static void shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
    sameShape(context, 0, 0, status);
    for (int output = 1; output <= 3 && TF_GetCode(status) == TF_OK; output++) sameShape(context, 1, output, status);
  }

  explicit BatchNorm(TF_OpKernelConstruction* construction)
      : epsilon_(attributeFloat(construction, "epsilon")),
        training_(attributeBool(construction, "training")),
        activation_(static_cast<Activation>(attributeInt(construction, "activation"))) {}

  void compute(KernelCall& call) const {
    const Shape shape = call.shape(0);
    const Rows rows(shape);
    const int64_t channels = rows.channels;
    const Shape vector = {channels};
    const E* x = call.input<E>(0);
    float* mean = call.output(1, vector);
    float* variance = call.output(2, vector);
    float* inverse = call.output(3, vector);
    if (training_) {
      moments(rows, x, mean, variance, inverse);
    } else {
      std::copy_n(call.input(3), channels, mean);
      std::copy_n(call.input(4), channels, variance);
      for (int64_t c = 0; c < channels; c++) inverse[c] = 1 / std::sqrt(variance[c] + epsilon_);
    }
    std::vector<float> a(channels), b(channels);
    for (int64_t c = 0; c < channels; c++) {
      a[c] = call.input(1)[c] * inverse[c];
      b[c] = call.input(2)[c] - mean[c] * a[c];
    }
    const E* residual = call.elements(5) > 0 ? call.input<E>(5) : nullptr;
    E* y = call.output<E>(0, shape);
    rows.each([&](int64_t, int64_t first, int64_t count) {
      const int64_t at = first * channels;
      scale(x + at, a.data(), b.data(), residual ? residual + at : nullptr, activation_, count, channels, y + at);
    });
  }

 private:
  void moments(const Rows& rows, const E* x, float* mean, float* variance, float* inverse) const {
    const int64_t channels = rows.channels;
    std::vector<float> sums(rows.blocks * channels, 0.0f), squares(rows.blocks * channels, 0.0f);
    // Distances from the first row: no digits are lost where the mean is large beside the deviation.
    rows.each([&](int64_t block, int64_t first, int64_t count) {
      addMoments(x + first * channels, x, count, channels, &sums[block * channels], &squares[block * channels]);
    });
    const std::vector<double> sum = rows.total(sums), square = rows.total(squares);
    const double n = static_cast<double>(rows.rows);
    for (int64_t c = 0; c < channels; c++) {
      const double distance = sum[c] / n;
      const double biased = std::max(0.0, square[c] / n - distance * distance);
      mean[c] = static_cast<float>(get(x[c]) + distance);
      variance[c] = static_cast<float>(n > 1 ? biased * n / (n - 1) : biased);
      inverse[c] = static_cast<float>(1 / std::sqrt(biased + epsilon_));
    }
  }

  float epsilon_;
  bool training_;
  Activation activation_;
};

/// Gradient in all inputs but given statistics. In training the statistics follow the input (Ioffe and Szegedy 2015, arXiv
/// 1502.03167, section 3); where they are given, a batch norm is a scale and an offset.
template <typename E>
class BatchNormGrad {
 public:
  using Element = E;
  static constexpr const char* name = "ContextureBatchNormGrad";
  /// dy, x, y [..., C], y only where there is an activation, else [0]; scale, mean, inverse_deviation [C].
  static constexpr const char* inputs[] = {"dy: T",        "x: T",        "y: T",
                                           "scale: float", "mean: float", "inverse_deviation: float"};
  /// d_residual is like x where there is a residual, else [0].
  static constexpr const char* outputs[] = {"dx: T", "d_scale: float", "d_offset: float", "d_residual: T"};
  static constexpr const char* attributes[] = {"T: {float, bfloat16}", "training: bool", "activation: int",
                                               "residual: bool"};

  static void shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
    sameShape(context, 1, 0, status);
    for (int output = 1; output <= 2 && TF_GetCode(status) == TF_OK; output++) sameShape(context, 3, output, status);
  }

  explicit BatchNormGrad(TF_OpKernelConstruction* construction)
      : training_(attributeBool(construction, "training")),
        activation_(static_cast<Activation>(attributeInt(construction, "activation"))),
        residual_(attributeBool(construction, "residual")) {}

  void compute(KernelCall& call) const {
    const Shape shape = call.shape(1);
    const Rows rows(shape);
    const int64_t channels = rows.channels;
    bool taken = false;
    E* dx = call.outputOver<E>(0, 0, shape, taken);
    const E* dy = taken ? dx : call.input<E>(0);
    const E* x = call.input<E>(1);
    const E* y = call.input<E>(2);
    const float *factor = call.input(3), *mean = call.input(4), *inverse = call.input(5);

    E* d_residual = call.output<E>(3, residual_ ? shape : Shape{0});
    std::vector<float> sums(rows.blocks * channels, 0.0f), products(rows.blocks * channels, 0.0f);
    rows.each([&](int64_t block, int64_t first, int64_t count) {
      const int64_t at = first * channels;
      addGradients(dy + at, y + at, x + at, mean, activation_, count, channels, &sums[block * channels],
                   &products[block * channels], residual_ ? d_residual + at : nullptr);
    });
    const std::vector<double> sum = rows.total(sums), product = rows.total(products);
    const double n = static_cast<double>(rows.rows);
    float* d_scale = call.output(1, {channels});
    float* d_offset = call.output(2, {channels});
    std::vector<float> a(channels), b(channels), d(channels);
    for (int64_t c = 0; c < channels; c++) {
      const double slope = static_cast<double>(factor[c]) * inverse[c];
      const double pull = -slope * inverse[c] * inverse[c] * product[c] / n;
      d_scale[c] = static_cast<float>(inverse[c] * product[c]);
      d_offset[c] = static_cast<float>(sum[c]);
      a[c] = static_cast<float>(slope);
      b[c] = static_cast<float>(pull);
      d[c] = static_cast<float>(-slope * sum[c] / n - pull * mean[c]);
    }
    // What the residual got is the gradient behind the activation already: one map less to read.
    const E* g = residual_ ? d_residual : dy;
    const Activation activation = residual_ ? NONE : activation_;
    rows.each([&](int64_t, int64_t first, int64_t count) {
      const int64_t at = first * channels;
      inputGradient(g + at, y + at, x + at, a.data(), b.data(), d.data(), activation, training_, count, channels, dx + at);
    });
  }

 private:
  bool training_;
  Activation activation_;
  bool residual_;
};

}  // namespace

void registerBatchNorm() {
  registerKernels<BatchNorm<float>, BatchNorm<uint16_t>>();
  registerKernels<BatchNormGrad<float>, BatchNormGrad<uint16_t>>();
}

}  // namespace contexture
