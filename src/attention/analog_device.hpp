#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/circuit_model.hpp"

namespace gaincal::attention {

using Table = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline constexpr std::size_t kArrayRows = 64;     ///< rows of an array: the largest head size
inline constexpr std::size_t kArrayColumns = 64;  ///< columns of an array: the largest sub-tile
inline constexpr int kRegisterLevels = 16;        ///< charges of so many levels fit a vector register
inline constexpr int kMaxLevels = 256;            ///< a stored level is a byte

/// How the tokens of a window are spread over the sub-tiles of 64 columns.
enum class TileMap {
  ring,      ///< column (s mod M): what the hardware does
  absolute,  ///< tile s / 64 from the start of the sequence: the authors' model
};

/// What the leak of a polynomial device acts on.
enum class LeakMode {
  per_moment,    ///< g^(m age) on the m-th power: the stored voltage decays towards its zero (the published model)
  whole_charge,  ///< g^age on the whole sum, the constant included: the authors' first code
};

/// Width (0..1 of Tmax) of a converter's pulse over its input charge: clamp((q - q0) / k, 0, 1), or a table.
struct PulseCurve {
  float q0 = 0.0f;
  float k = 1.0f;
  /// Uniform table from q_min in steps of q_step; empty means the HardSigmoid above. Linear between, clamped outside.
  std::vector<float> table;
  float q_min = 0.0f, q_step = 0.0f;
};

/// Differences between the cells and the converters of a chip, and what its converters do otherwise each time. Charges
/// as the device's. All zero: every cell is like the next.
struct Variation {
  double cell_gain_sigma = 0.0;      ///< relative, of the charge of a read
  double cell_offset_sigma = 0.0;    ///< charge of a full-length pulse beside `read`, at every level
  double score_offset_sigma = 0.0;   ///< charge at the converter of a K column
  double output_offset_sigma = 0.0;  ///< charge at the converter of a V column
  double jitter_sigma = 0.0;         ///< of each pulse that a converter gives, in 0..1 of the longest
  std::uint64_t seed = 0;            ///< of all draws
  std::uint32_t chip = 0;            ///< another chip has other cells
  /// What the transistors gave beside the models where both were compared, in 0..1 of the longest pulse: one of them,
  /// drawn anew, is added to each pulse that is neither absent nor the longest. Empty: none.
  std::vector<float> score_residual = {}, output_residual = {};

  /// Whether pulses differ from one conversion to the next.
  bool each_pulse() const { return jitter_sigma != 0.0 || !score_residual.empty() || !output_residual.empty(); }
  bool any() const {
    return cell_gain_sigma != 0.0 || cell_offset_sigma != 0.0 || score_offset_sigma != 0.0 ||
           output_offset_sigma != 0.0 || each_pulse();
  }
};

/// What the attention kernels need to know of a device, whatever it was made from.
///
/// Per head, D rows (head size), window of M tokens, level tables of M ages:
///   q[t,s]      = sum_d g (x[t,d] read(t-s, K[s,d]) + [x[t,d] > 0] edge(t-s, K[s,d])) + o x[t,d],
///                 x = code / (query_levels-1)
///   S[t,s]      = score_bit_line(q[t,s]; X = sum_d x[t,d]) + score offset
///   phi[t,s]    = score(S[t,s])                                     in 0..1 of the longest pulse
///   p[tile,t,d] = sum_{s in tile} g (phi[t,s] read(t-s, V[s,d]) + [phi[t,s] > 0] edge(t-s, V[s,d])) + o phi[t,s]
///   A[tile,t,d] = output_bit_line(p[tile,t,d]; X = sum_{s in tile} phi[t,s]) + output offset
///   out[t,d]    = a_o sum_tiles counter(A[tile,t,d]) + b_o
/// g = 1 and o = 0 but for `variation`, which gives each cell and converter its own, and each pulse (phi > 0, and the
/// converter's output before the counter) a jitter within its range, and a residual. Tiles without a token of the window add nothing.
/// Charges are in units of the device's own (paper: its dimensionless S; circuit: fC).
struct AnalogDevice {
  std::size_t window = 0;                    ///< M
  std::size_t tile_columns = kArrayColumns;  ///< 1..64
  TileMap tile_map = TileMap::ring;

  int query_levels = 16;   ///< 0: unquantised, else 2..256
  int weight_levels = 8;   ///< 0: unquantised, else 2..256; more than 16 take plain loops where they have a `read`
  int output_levels = 32;  ///< 0: unquantised; a value y becomes count * step, step = 2 / (output_levels - 1),
                           ///< count = y / step rounded half to even
  int counter_max = 0;     ///< the count stops at +- this; 0: no limit but that of |y| <= 1
  double v_max_V = 0.9;    ///< weights are clamped to 0..v_max_V before they are written

  /// Charge of a full-length pulse: (M, weight_levels). Empty for unquantised weights, or where the polynomial below
  /// does as well: its products beat plain loops.
  Table read;
  /// Charge per pulse whatever its length; (M, weight_levels), or empty for none. Needs `read`.
  Table edge;
  /// charge = sum_m moment[m] g^(m age) (v - v_zero_V)^m, g = exp(-leak_per_token); used where `read` is empty.
  std::vector<double> moment;
  double v_zero_V = 0.45;
  double leak_per_token = 0.0;
  LeakMode leak_mode = LeakMode::per_moment;

  PulseCurve score;  ///< unsigned: charge of a K column -> phi
  /// Signed converter: charge of a V column -> value y. Paper: clamp(A / k, -1, 1). With a table: y is the signed width
  /// in -1..1. Then quantised to output_levels. q0 is not used.
  PulseCurve output;

  /// Coefficients in the device's charges in place of fC.
  device::BitLineModel score_bit_line, output_bit_line;
  Variation variation;
};

/// Throws Error naming the field when the device cannot be computed with: no window, levels or table shapes that do not
/// fit together, a converter without slope, values that are not finite.
void check_device(const AnalogDevice& device);

/// Parameters of the authors' numerical model.
struct PaperOptions {
  bool nonlinear = true;      ///< cubic cell; false: linear, 19.3 (v - 0.45)
  std::size_t window = 1024;  ///< M
  double leak_per_token = 1.6e-4;
  TileMap tile_map = TileMap::ring;
  int query_levels = 16, weight_levels = 8, output_levels = 32;  ///< 0: unquantised
  LeakMode leak_mode = LeakMode::per_moment;
};

/// The authors' model: S / 80 and A / 40 through HardSigmoids without offset, phi not quantised, 33 output values
/// (the clamped +-1 is 15.5 steps and rounds to 16). The level table is computed in double and stored as float.
///
/// Source  Leroux et al. 2025 and their published code; constants in the .cpp
AnalogDevice make_paper_device(const PaperOptions& options);

/// The fitted circuit, charges in fC.
///
///   read(age, l) = i(v) Tmax, edge(age, l) = a(v)     v = leak(v_stored[l], age t_token_s)
///   score        = width / Tmax from the unsigned readout's table
///   output       = value of the signed converter's width (ReadoutModel::value)
///   bit lines    = the model's
///
/// The output is a digital calibration: the counter is gated to start t0 after the conversion does, its clock period
/// is (t_max - t0) / 15.5 with the first edge after half a period, and it stops at 15. The value is
/// sign * count * 2/31: 31 values in -30/31..30/31, beside the paper's 33 in -32/31..32/31.
///
/// The curves are sampled at 2049 uniform points over the range of the readout's table. Between two points the sampled
/// curve is off by at most h L / 2, h the step, L the curve's largest slope there: r / 4096 of full scale where the
/// range is r times the charge from 0 to saturation. A jump at the sign threshold becomes a ramp of one step.
///
/// window     M
/// t_token_s  time between two tokens of one layer: layers x model.t_token_s where layers run one after another
/// Throws     Error when the model has no levels, more than 256, or an empty curve
///
/// All cells are alike: `chip_variation` is what the model's mismatch makes of them.
AnalogDevice make_circuit_device(const device::CircuitModel& model, std::size_t window, double t_token_s,
                                 TileMap tile_map = TileMap::ring);

/// The fitted mismatch in the charges of make_circuit_device; seed, chip and jitter 0.
Variation chip_variation(const device::CircuitModel& model);

}  // namespace gaincal::attention
