{{header}}
"""Evaluates a gaincal model.h5 (schema gaincal/model 1.x). Needs h5py and numpy, nothing else.

    model = Model("model.h5")
    model.cell.charge_C(v_V=0.7, x_s=5e-9)        # charge of one read
    model.score.width_s(2e-13)                    # pulse of the score converter
    model.leak.voltage_V(v_start_V=0.9, age_s=1e-3)
    Model("model.h5", corner="ss", temperature_C=85, supply_V=0.85)    # another instance, interpolated where need be

All arguments may be arrays, which broadcast; SI units throughout. Arguments outside the fitted range are clamped to it
and counted in model.guard.clamped; Model(path, strict=True) refuses them with a ValueError.
"""

import copy

import h5py
import numpy as np

SCHEMA = "gaincal/model"
SCHEMA_MAJOR = 1


class Guard:
    """Keeps queries inside the fitted range: clamps and counts, or refuses."""

    def __init__(self, strict):
        self.strict, self.queries, self.clamped = strict, 0, 0

    def inside(self, quantity, x, low, high):
        x = np.asarray(x, dtype=float)
        slack = 1e-9 * max(abs(low), abs(high), high - low)
        outside = (x < low - slack) | (x > high + slack)
        self.queries += x.size
        if np.any(outside):
            if self.strict:
                raise ValueError(f"{quantity} {x[outside].flat[0]:g} lies outside the fitted range {low:g} to {high:g}")
            self.clamped += int(np.count_nonzero(outside))
        return np.clip(x, low, high)


class Curve:
    """Monotone piecewise cubic through points, end values outside (Fritsch-Carlson 1980, Fritsch-Butland 1984 slopes)."""

    def __init__(self, x, y, quantity):
        self.quantity, self.guard = quantity, None
        self.x = np.asarray(x, dtype=float)
        self.y = np.asarray(y, dtype=float)
        h = np.diff(self.x)
        secant = np.diff(self.y) / h
        slope = np.full(self.x.size, secant[0])
        if self.x.size > 2:
            w0 = 2 * h[1:] + h[:-1]
            w1 = h[1:] + 2 * h[:-1]
            same = secant[:-1] * secant[1:] > 0
            left = np.where(same, secant[:-1], 1.0)
            right = np.where(same, secant[1:], 1.0)
            slope[1:-1] = np.where(same, (w0 + w1) / (w0 / left + w1 / right), 0.0)
            slope[0] = self._end_slope(h[0], h[1], secant[0], secant[1])
            slope[-1] = self._end_slope(h[-1], h[-2], secant[-1], secant[-2])
        self.slope = slope

    @staticmethod
    def _end_slope(h0, h1, secant0, secant1):
        slope = ((2 * h0 + h1) * secant0 - h0 * secant1) / (h0 + h1)
        if slope * secant0 <= 0:
            return 0.0
        if secant0 * secant1 <= 0 and abs(slope) > 3 * abs(secant0):
            return 3 * secant0
        return slope

    def __call__(self, at):
        return self.value(self.guard.inside(self.quantity, at, self.x[0], self.x[-1]))

    def value(self, at):
        at = np.asarray(at, dtype=float)
        inside = np.clip(at, self.x[0], self.x[-1])
        i = np.clip(np.searchsorted(self.x, inside, side="right") - 1, 0, self.x.size - 2)
        h = self.x[i + 1] - self.x[i]
        u = (inside - self.x[i]) / h
        rise = self.y[i + 1] - self.y[i]
        d0, d1 = h * self.slope[i], h * self.slope[i + 1]
        value = self.y[i] + u * (d0 + u * (3 * rise - 2 * d0 - d1 + u * (d0 + d1 - 2 * rise)))
        return np.where(at >= self.x[-1], self.y[-1], value)


class Cell:
    """q = x i(v) + a(v) for a pulse of width x > 0, 0 for none; positive charge lowers the bit line."""

    def __init__(self, group):
        self.v_min_V, self.v_max_V = group["v_min"][()], group["v_max"][()]
        self.t_pulse_max_s = group["t_pulse_max"][()]
        self.current_A = Curve(group["table/current/v_store"], group["table/current/i_cell"], "stored voltage")
        self.edge_charge_C = Curve(group["table/edge/v_store"], group["table/edge/a_cell"], "stored voltage")
        cubic = group["cubic"]
        self.v_zero_V = cubic["v_zero"][()]
        self.i_coeff, self.a_coeff = cubic["i_coeff"][:], cubic["a_coeff"][:]

    def charge_C(self, v_V, x_s):
        x_s = np.asarray(x_s, dtype=float)
        return np.where(x_s > 0, x_s * self.current_A(v_V) + self.edge_charge_C(v_V), 0.0)

    def current_cubic_A(self, v_V):
        return self._cubic(self.i_coeff, v_V)

    def edge_charge_cubic_C(self, v_V):
        return self._cubic(self.a_coeff, v_V)

    def _cubic(self, c, v_V):
        u = np.asarray(v_V, dtype=float) - self.v_zero_V
        return c[0] + u * (c[1] + u * (c[2] + u * c[3]))


class Readout:
    """Charge to pulse width; a signed converter gives sign times width."""

    def __init__(self, group):
        self.is_signed = bool(group["is_signed"][()])
        self.width_s = Curve(group["table/width/q_in"], group["table/width/t_out"], "charge")
        self.energy_J = Curve(group["table/energy/q_in"], group["table/energy/e_conversion"], "charge")
        self.sigmoid = {
            side: tuple(part[name][()] for name in ("slope", "q0", "t_max"))
            for side, part in group["hard_sigmoid"].items()
            if side in ("positive", "negative")
        }
        self.q_sign_C = group["hard_sigmoid/q_sign"][()] if self.is_signed else 0.0

    def hard_sigmoid_s(self, q_C):
        q_C = np.asarray(q_C, dtype=float)
        positive = self._clamped("positive", q_C)
        if not self.is_signed:
            return positive
        return np.where(q_C < self.q_sign_C, -self._clamped("negative", -q_C), positive)

    def _clamped(self, side, q_C):
        slope, q0, t_max = self.sigmoid[side]
        return np.clip(slope * (q_C - q0), 0.0, t_max)


class Leak:
    """Stored voltage over age: bilinear in the table, or the exponential."""

    def __init__(self, group):
        table, exponential = group["table"], group["exponential"]
        self.v_start_V, self.age_s = table["v0"][:], table["age"][:]
        self.table_V = table["v_cell"][:]
        self.tau_s, self.v_inf_V = exponential["tau"][()], exponential["v_inf"][()]
        self.guard = None

    @staticmethod
    def _place(knots, x):
        x = np.asarray(x, dtype=float)
        if knots.size < 2:
            return np.zeros(x.shape, dtype=int), np.zeros(x.shape)
        inside = np.clip(x, knots[0], knots[-1])
        i = np.clip(np.searchsorted(knots, inside, side="right") - 1, 0, knots.size - 2)
        return i, (inside - knots[i]) / (knots[i + 1] - knots[i])

    def voltage_V(self, v_start_V, age_s):
        v_start_V = self.guard.inside("stored voltage", v_start_V, self.v_start_V[0], self.v_start_V[-1])
        return self.table_value(v_start_V, self.guard.inside("age", age_s, self.age_s[0], self.age_s[-1]))

    def table_value(self, v_start_V, age_s):
        row, r = self._place(self.v_start_V, v_start_V)
        column, c = self._place(self.age_s, age_s)
        next_row = np.minimum(row + 1, self.v_start_V.size - 1)
        next_column = np.minimum(column + 1, self.age_s.size - 1)
        low = (1 - c) * self.table_V[row, column] + c * self.table_V[row, next_column]
        high = (1 - c) * self.table_V[next_row, column] + c * self.table_V[next_row, next_column]
        return (1 - r) * low + r * high

    def exponential_V(self, v_start_V, age_s):
        v_start_V = np.asarray(v_start_V, dtype=float)
        return self.v_inf_V + (v_start_V - self.v_inf_V) * np.exp(-np.asarray(age_s, dtype=float) / self.tau_s)


class ReadEnergy:
    """Joules of a read pulse of width x > 0, 0 for none."""

    def __init__(self, group):
        self.e_edge_J = Curve(group["edge/v_store"], group["edge/e_edge"], "stored voltage")
        self.p_W = Curve(group["power/v_store"], group["power/p_read"], "stored voltage")

    def __call__(self, v_V, x_s):
        x_s = np.asarray(x_s, dtype=float)
        return np.where(x_s > 0, self.e_edge_J(v_V) + x_s * self.p_W(v_V), 0.0)


class Circuit:
    """The fitted parts at one condition."""

    def __init__(self, group):
        self.cell = Cell(group["cell"])
        self.score = Readout(group["readout/score"])
        self.output = Readout(group["readout/output"])
        self.leak = Leak(group["leak"])
        self.read_energy = ReadEnergy(group["read_energy"])
        self.v_target_V = group["write/v_target"][:]
        self.v_stored_V = group["write/v_stored"][:]
        self.e_write_J = group["write/e_write"][:]


def interpolation_weights(points, x):
    """(index, weight) of the parabola through the three nearest points, of the line through two."""
    n = min(len(points), 3)
    first = 0
    while first + n < len(points) and points[first + n] - x < x - points[first]:
        first += 1
    weights = []
    for i in range(first, first + n):
        weight = 1.0
        for j in range(first, first + n):
            if j != i:
                weight *= (x - points[j]) / (points[i] - points[j])
        if weight != 0.0:
            weights.append((i, weight))
    return weights


def _merged(knots):
    knots = np.sort(np.concatenate(knots))
    apart = 1e-9 * (knots[-1] - knots[0])
    kept = [knots[0]]
    for knot in knots[1:]:
        if knot - kept[-1] > apart:
            kept.append(knot)
    return np.array(kept)


def _mean(shares, member):
    return sum(weight * member(circuit) for weight, circuit in shares)


def _blend_curves(shares, curve, origin=lambda circuit: 0.0):
    knots = _merged([curve(circuit).x - origin(circuit) for _, circuit in shares])
    y = _mean(shares, lambda circuit: curve(circuit).value(knots + origin(circuit)))
    return Curve(knots + _mean(shares, origin), y, curve(shares[0][1]).quantity)


def _leaked(shares, starts, ages):
    """A cell passes the voltages of the fastest circuit at its own speed: the weighted geometric mean of the rates right
    after writing, by voltage. At an age tau of the fastest its own age t grows with dt / dtau = slowness(v(tau))."""
    short = [c.leak.table_value(starts, ages[1]) - starts for _, c in shares]
    fast = int(np.argmax([np.sum(np.abs(change)) for change in short]))
    fastest = shares[fast][1].leak
    one_sign = np.all([change * short[fast] > 0 for change in short], axis=0)
    if not np.any(one_sign):
        return _mean(shares, lambda c: c.leak.table_value(starts[:, None], ages[None, :]))
    ratios = [change[one_sign] / short[fast][one_sign] for change in short]
    logs = sum(weight * np.log(np.abs(ratio)) for (weight, _), ratio in zip(shares, ratios))
    slowness = lambda v: 1 / np.exp(np.interp(v, starts[one_sign], logs))
    steps = 512
    first = 1e-3 * ages[1]
    growth = (ages[-1] / first) ** (1.0 / (steps - 1))
    tau = np.concatenate([[0.0], first * growth ** np.arange(steps)])
    rows = []
    for start in starts:
        slow = slowness(fastest.table_value(start, tau))
        slow[0] = slowness(start)
        t = np.concatenate([[0.0], np.cumsum(np.diff(tau) * (slow[:-1] + slow[1:]) / 2)])
        rows.append(fastest.table_value(start, Curve(t, tau, "age").value(ages)))
    return np.array(rows)


def _blend_leak(leak, shares):
    leak.tau_s = np.exp(_mean(shares, lambda c: np.log(c.leak.tau_s)))
    leak.v_inf_V = _mean(shares, lambda c: c.leak.v_inf_V)
    starts = _merged([c.leak.v_start_V for _, c in shares])
    ages = _merged([c.leak.age_s for _, c in shares])
    leak.table_V = _leaked(shares, starts, ages)
    leak.v_start_V, leak.age_s = starts, ages


def blend(shares):
    """The weighted mean of circuits, part by part (FORMAT.md of gaincal, group conditions)."""
    result = copy.deepcopy(shares[0][1])
    if len(shares) == 1:
        return result
    cell = result.cell
    cell.current_A = _blend_curves(shares, lambda c: c.cell.current_A)
    cell.edge_charge_C = _blend_curves(shares, lambda c: c.cell.edge_charge_C)
    cell.i_coeff = _mean(shares, lambda c: c.cell.i_coeff)
    cell.a_coeff = _mean(shares, lambda c: c.cell.a_coeff)
    cell.v_min_V = max(c.cell.v_min_V for _, c in shares)
    cell.v_max_V = min(c.cell.v_max_V for _, c in shares)
    for name in ("score", "output"):
        readout = getattr(result, name)
        part = lambda c: getattr(c, name)
        readout.sigmoid = {
            side: tuple(_mean(shares, lambda c: part(c).sigmoid[side][k]) for k in range(3)) for side in readout.sigmoid
        }
        readout.q_sign_C = _mean(shares, lambda c: part(c).q_sign_C)
        readout.width_s = _blend_curves(shares, lambda c: part(c).width_s, lambda c: part(c).q_sign_C)
        readout.energy_J = _blend_curves(shares, lambda c: part(c).energy_J)
    _blend_leak(result.leak, shares)
    result.read_energy.e_edge_J = _blend_curves(shares, lambda c: c.read_energy.e_edge_J)
    result.read_energy.p_W = _blend_curves(shares, lambda c: c.read_energy.p_W)
    result.v_stored_V = _mean(shares, lambda c: c.v_stored_V)
    result.e_write_J = _mean(shares, lambda c: c.e_write_J)
    return result


class Model:
    """The whole circuit: cell, score (unsigned converter), output (signed converter), leak, read_energy, written levels.

    corner, temperature_C, supply_V: what is not given is nominal. Corners are those that were fitted.
    """

    def __init__(self, path, corner=None, temperature_C=None, supply_V=None, strict=False):
        self.guard = Guard(strict)
        with h5py.File(path, "r") as file:
            self._check_schema(path, file.attrs)
            self.attributes = {name: _text(value) for name, value in file.attrs.items()}
            circuit = self._instance(path, file, corner, temperature_C, supply_V)
            self.rows = int(file["array/rows"][()])
            self.query_levels = int(file["array/query_levels"][()])
            self.counter_levels = int(file["array/counter_levels"][()])
            self.t_token_s = float(file["array/t_token"][()])
        vars(self).update(vars(circuit))
        readouts = (self.score, self.output)
        curves = [self.cell.current_A, self.cell.edge_charge_C, self.read_energy.e_edge_J, self.read_energy.p_W]
        for part in curves + [self.leak] + [r.width_s for r in readouts] + [r.energy_J for r in readouts]:
            part.guard = self.guard

    def _instance(self, path, file, corner, temperature_C, supply_V):
        if corner is None and temperature_C is None and supply_V is None:
            return Circuit(file)
        group = file.get("conditions")
        if group is None:
            raise ValueError(f"{path}: holds one condition; sweep the design at others with gaincal and fit again")
        nominal = (_text(group.attrs["nominal_corner"]), group["nominal_temperature"][()], group["nominal_supply"][()])
        asked = tuple(n if a is None else a for a, n in zip((corner, temperature_C, supply_V), nominal))
        if asked == nominal:
            return Circuit(file)
        if "models" not in group:
            raise ValueError(f"{path}: holds one condition; sweep the design at others with gaincal and fit again")
        corners = [_text(name) for name in group["corner"].attrs["labels"]]
        if asked[0] not in corners:
            raise ValueError(f"{path}: no corner {asked[0]!r}; there are {', '.join(corners)}")
        weights = []
        for name, x in zip(("temperature", "supply"), asked[1:]):
            points = group[name][:]
            weights.append(interpolation_weights(points, float(self.guard.inside(name, x, points[0], points[-1]))))
        names = group["model"][corners.index(asked[0])]
        return blend(
            [
                (of_t * of_s, Circuit(group["models"][_text(names[t, s])]))
                for t, of_t in weights[0]
                for s, of_s in weights[1]
            ]
        )

    @staticmethod
    def _check_schema(path, attributes):
        schema = _text(attributes.get("schema", "none"))
        version = _text(attributes.get("schema_version", "none"))
        if schema != SCHEMA or version.split(".")[0] != str(SCHEMA_MAJOR):
            raise ValueError(
                f"{path}: schema {schema} {version}, this module reads {SCHEMA} {SCHEMA_MAJOR}.x; "
                "export it again with 'gaincal export --to python'"
            )


def _text(value):
    return value.decode() if isinstance(value, bytes) else value
