#include "device/circuit_model.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace gaincal::device;
using Catch::WithinAbs;

TEST_CASE("a cell gives charge only while a pulse lasts", "[device]") {
  CellModel cell;
  cell.i_table_A = MonotoneCurve({0.0, 0.9}, {-2e-6, 2e-6});
  cell.a_table_C = MonotoneCurve({0.0, 0.9}, {1e-16, 1e-16});
  CHECK(cell.charge_C(0.9, 0.0) == 0.0);
  CHECK_THAT(cell.charge_C(0.9, 15e-9), WithinAbs(30.1e-15, 1e-20));
  CHECK_THAT(cell.charge_C(2.0, 15e-9), WithinAbs(30.1e-15, 1e-20));  // clamped
}

TEST_CASE("a hard sigmoid is a line clamped at both ends", "[device]") {
  const HardSigmoid phi{0.06e6, 10e-15, 15e-9};
  CHECK(phi(5e-15) == 0.0);
  CHECK_THAT(phi(110e-15), WithinAbs(6e-9, 1e-20));
  CHECK(phi(1e-12) == 15e-9);
}

TEST_CASE("a signed converter has a side for each sign", "[device]") {
  ReadoutModel readout;
  readout.is_signed = true;
  readout.positive = {0.06e6, -10e-15, 15e-9};
  readout.negative = {0.05e6, -20e-15, 14e-9};
  CHECK_THAT(readout.hard_sigmoid_s(0.0), WithinAbs(0.6e-9, 1e-20));
  CHECK_THAT(readout.hard_sigmoid_s(-80e-15), WithinAbs(-5e-9, 1e-20));
  CHECK(readout.hard_sigmoid_s(-1e-12) == -14e-9);
  readout.q_sign_C = 4e-15;
  CHECK_THAT(readout.hard_sigmoid_s(2e-15), WithinAbs(-0.9e-9, 1e-20));
  readout.is_signed = false;
  CHECK(readout.hard_sigmoid_s(-80e-15) == 0.0);
}

TEST_CASE("the leak table is exact at its points, bilinear between and clamped outside", "[device]") {
  LeakModel leak;
  leak.v0_V = {0.0, 0.3, 0.9};
  leak.age_s = {0.0, 1e-3, 4e-3};
  leak.v_V = {0.0, 0.1, 0.2, 0.3, 0.3, 0.35, 0.9, 0.8, 0.6};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      CHECK_THAT(leak.voltage_V(leak.v0_V[i], leak.age_s[j]), WithinAbs(leak.v_V[3 * i + j], 1e-16));
  CHECK_THAT(leak.voltage_V(0.15, 0.5e-3), WithinAbs((0.0 + 0.1 + 0.3 + 0.3) / 4, 1e-15));
  CHECK_THAT(leak.voltage_V(0.6, 2.5e-3), WithinAbs((0.3 + 0.35 + 0.8 + 0.6) / 4, 1e-15));
  CHECK(leak.voltage_V(-1.0, 9.0) == 0.2);
  CHECK(leak.voltage_V(2.0, -1.0) == 0.9);
}

TEST_CASE("the exponential leak starts at its voltage and ends at its limit", "[device]") {
  LeakModel leak;
  leak.tau_s = 5e-3;
  leak.v_inf_V = 0.45;
  CHECK_THAT(leak.exponential_V(0.9, 0.0), WithinAbs(0.9, 1e-15));
  CHECK_THAT(leak.exponential_V(0.9, 5e-3), WithinAbs(0.45 + 0.45 / std::exp(1.0), 1e-15));
  CHECK_THAT(leak.exponential_V(0.0, 1.0), WithinAbs(0.45, 1e-15));
}

TEST_CASE("read energy is nothing without a pulse", "[device]") {
  ReadEnergyModel energy;
  energy.e_edge_J = MonotoneCurve({0.0, 0.9}, {1e-15, 1e-15});
  energy.p_W = MonotoneCurve({0.0, 0.9}, {1e-6, 3e-6});
  CHECK(energy.energy_J(0.45, 0.0) == 0.0);
  CHECK_THAT(energy.energy_J(0.45, 10e-9), WithinAbs(21e-15, 1e-22));
}

TEST_CASE("a bit line without a fit collects what the cells pour", "[device]") {
  const gaincal::device::BitLineModel bit_line;
  CHECK(bit_line.collected_charge_C(37e-15, 20.0) == Approx(37e-15).epsilon(1e-14));
}

TEST_CASE("a bit line collects the polynomial in charge and active rows", "[device]") {
  gaincal::device::BitLineModel bit_line;
  bit_line.coeff[0] = {0.5, 0.1, 0.0, 0.0};
  bit_line.coeff[1] = {1.0, -0.002, 1e-5, 0.0};
  bit_line.coeff[2] = {-1e-4, 0.0, 0.0, 0.0};
  bit_line.coeff[3] = {0.0, 0.0, 0.0, 1e-9};
  const double X = 10.0, q_fC = 50.0;
  const double expected_fC = 0.5 + 1.0 + (1.0 - 0.02 + 1e-3) * q_fC - 1e-4 * q_fC * q_fC + 1e-6 * q_fC * q_fC * q_fC;
  CHECK(bit_line.collected_charge_C(q_fC * 1e-15, X) == Approx(expected_fC * 1e-15).epsilon(1e-12));
  CHECK(bit_line.coefficients(X)[1] == Approx(0.981).epsilon(1e-12));
}

TEST_CASE("a bit line clamps charge and pulses to what was fitted", "[device]") {
  gaincal::device::BitLineModel bit_line;
  bit_line.coeff[1] = {1.0, -0.01, 0.0, 0.0};
  bit_line.q_min_C = -20e-15;
  bit_line.q_max_C = 100e-15;
  bit_line.full_pulses_max = 30.0;
  CHECK(bit_line.collected_charge_C(90e-15, 10.0) == Approx(81e-15));
  CHECK(bit_line.collected_charge_C(500e-15, 10.0) == Approx(90e-15));
  CHECK(bit_line.collected_charge_C(-500e-15, 10.0) == Approx(-18e-15));
  CHECK(bit_line.collected_charge_C(100e-15, 64.0) == Approx(70e-15));
}

TEST_CASE("a pulse becomes the value and the count of a calibrated counter", "[device]") {
  gaincal::device::ReadoutModel readout;
  readout.is_signed = true;
  readout.positive = {0.06e6, -20e-15, 15e-9};  // 1.2 ns at zero charge
  readout.negative = {0.06e6, 0.0, 14e-9};
  CHECK(readout.value(1.0e-9) == 0.0);
  CHECK(readout.value(8.1e-9) == Approx(0.5));
  CHECK(readout.value(20e-9) == 1.0);
  CHECK(readout.value(-7e-9) == Approx(-0.5));
  CHECK(std::isnan(readout.value(std::nan(""))));
  CHECK(gaincal::device::count_of(0.5, 32) == 8);    // 7.75
  CHECK(gaincal::device::count_of(-0.03, 32) == 0);  // 0.465
  CHECK(gaincal::device::count_of(1.0, 32) == 15);   // 15.5 stops at 15
  CHECK(gaincal::device::count_of(-1.0, 32) == -15);
}
