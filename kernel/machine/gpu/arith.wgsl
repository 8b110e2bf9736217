//! include finish
// Arithmetic, one element at a time: raw elements x and y of kinds ka and kb become the raw element
// of kind kd.  Nearly everything is done in 32 bits:
//
// * a value is its floor and a part in 2^-16, so sums, differences, products with a byte and of two
//   X need no wider numbers;
// * where kd saturates, an integer beyond 2^20 may be taken as 2^20 if the other operand is below
//   2^16 in size: the result lies beyond every bound all the same.
//
// Other products of words take 64 bits, quotients of different kinds as many.  Kinds are constants in
// specialised kernels, so of each function one branch is left.

// Beyond the range of every kind but I, with room for a product with a byte.
const FAR: i32 = 1048576;

fn part_of(raw: u32, kind: u32) -> u32 {
    return select(0u, raw & 0xFFFFu, kind == KIND_X);
}

// The floor of a value; where d saturates, of an integer not more than FAR.
fn near(raw: u32, kind: u32, kd: u32) -> i32 {
    if (kind == KIND_X) {
        return i32(raw) >> 16u;
    }
    if (kind == KIND_I && kd != KIND_I) {
        return clamp(i32(raw), -FAR, FAR);
    }
    return i32(raw);
}

// whole + part / 2^16 as an element; whole below 2^31 - 1 if kd is of bytes.
fn finish_parts(whole: i32, part: u32, kd: u32) -> u32 {
    if (kd == KIND_I) {
        return u32(whole);
    }
    if (kd == KIND_X) {
        if (whole > 32767) {
            return 0x7FFFFFFFu;
        }
        return select((u32(whole) << 16u) | part, 0x80000000u, whole < -32768);
    }
    return u32(clamp(whole + i32(part >> 15u), 0, 255));
}

// The greatest or least word, by the sign of what the result should be.
fn bound_of(negative: bool) -> u32 {
    return select(0x7FFFFFFFu, 0x80000000u, negative);
}

fn saturating_sum(x: u32, y: u32) -> u32 {
    let sum = x + y;
    let wrong = i32((x ^ sum) & (y ^ sum)) < 0;
    return select(sum, bound_of(i32(x) < 0), wrong);
}

fn saturating_difference(x: u32, y: u32) -> u32 {
    let rest = x - y;
    let wrong = i32((x ^ y) & (x ^ rest)) < 0;
    return select(rest, bound_of(i32(x) < 0), wrong);
}

fn op_add(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    if (ka == kb && kd != KIND_I && (ka == KIND_I || (ka == KIND_X && kd == KIND_X))) {
        return convert(saturating_sum(x, y), ka, kd);
    }
    let parts = part_of(x, ka) + part_of(y, kb);
    let whole = near(x, ka, kd) + near(y, kb, kd) + i32(parts >> 16u);
    return finish_parts(whole, parts & 0xFFFFu, kd);
}

fn op_subtract(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    if (ka == kb && kd != KIND_I && (ka == KIND_I || (ka == KIND_X && kd == KIND_X))) {
        return convert(saturating_difference(x, y), ka, kd);
    }
    let parts = i32(part_of(x, ka)) - i32(part_of(y, kb));
    let whole = near(x, ka, kd) - near(y, kb, kd) + (parts >> 16u);
    return finish_parts(whole, u32(parts) & 0xFFFFu, kd);
}

fn times_byte(byte: u32, y: u32, ky: u32, kd: u32) -> u32 {
    let low = byte * part_of(y, ky);
    let whole = i32(byte) * near(y, ky, kd) + i32(low >> 16u);
    return finish_parts(whole, low & 0xFFFFu, kd);
}

// The products of the halves of two raw X, brought together; into X the last place is rounded.
fn times_fixed(x: u32, y: u32, kd: u32) -> u32 {
    let xh = i32(x) >> 16u;
    let yh = i32(y) >> 16u;
    let xl = x & 0xFFFFu;
    let yl = y & 0xFFFFu;
    let low = xl * yl + select(0u, 0x8000u, kd == KIND_X);  // below 2^32
    let one = xh * i32(yl);
    let other = i32(xl) * yh;
    let parts = (u32(one) & 0xFFFFu) + (u32(other) & 0xFFFFu) + (low >> 16u);
    let whole = xh * yh + (one >> 16u) + (other >> 16u) + i32(parts >> 16u);
    return finish_parts(whole, parts & 0xFFFFu, kd);
}

fn op_times(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    if (kd == KIND_I && ka != KIND_X && kb != KIND_X) {
        return x * y;
    }
    if (is_bytes(ka)) {
        return times_byte(x, y, kb, kd);
    }
    if (is_bytes(kb)) {
        return times_byte(y, x, ka, kd);
    }
    if (ka == KIND_X && kb == KIND_X) {
        return times_fixed(x, y, kd);
    }
    return finish64(i64_mul(i32(x), i32(y)), fraction_of(ka) + fraction_of(kb), kd);
}

// ---- division ---------------------------------------------------------------------------------

fn magnitude(raw: u32) -> u32 {
    return select(raw, 0u - raw, i32(raw) < 0);
}

// One digit of 16 bits of (n * 2^16 + next) / d, and the rest; d >= 2^31, n < d, next < 2^16.
fn divide_digit(n: u32, next: u32, d: u32) -> vec2<u32> {
    let high = d >> 16u;
    var q = n / high;
    var rest = n - q * high;
    // Leaving out d's low half makes q at most 2 too great (Knuth, TAOCP 4.3.1, theorem B).
    for (var k = 0; k < 2; k++) {
        if (rest < 65536u && (q > 65535u || q * (d & 0xFFFFu) > ((rest << 16u) | next))) {
            q -= 1u;
            rest += high;
        }
    }
    return vec2<u32>(q, ((n << 16u) | next) - q * d);
}

// Quotient and rest of high * 2^32 + low by d; high < d.
fn divide_words(high: u32, low: u32, d: u32) -> vec2<u32> {
    if (high == 0u) {
        let q = low / d;
        return vec2<u32>(q, low - q * d);
    }
    let up = countLeadingZeros(d);
    let n = i64_shl(vec2<u32>(low, high), up);
    let first = divide_digit(n.y, n.x >> 16u, d << up);
    let second = divide_digit(first.y, n.x & 0xFFFFu, d << up);
    return vec2<u32>((first.x << 16u) | second.x, second.y >> up);
}

fn op_divide(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    let negative = (i32(x) < 0) != (i32(y) < 0);
    var n = magnitude(x);
    let m = magnitude(y);
    if (kd != KIND_X && (ka == KIND_X) == (kb == KIND_X)) {
        let q = n / m;
        let rest = n - q * m;
        if (kd == KIND_I) {
            return select(q, 0u - q - select(0u, 1u, rest != 0u), negative);
        }
        return select(min(q + select(0u, 1u, rest >= m - rest), 255u), 0u, negative);
    }
    // One bit below d's grid, floored, is all that rounding half up (or flooring) needs.
    let bits = fraction_of(kd) + 1u;
    var q: vec2<u32>;
    var inexact: bool;
    if (ka == KIND_X && kb != KIND_X && kd != KIND_X) {
        q = vec2<u32>((n >> 15u) / m, 0u);
        inexact = (n & 0x7FFFu) != 0u || (n >> 15u) != q.x * m;
    } else {
        let up = bits + fraction_of(kb) - fraction_of(ka);
        if (up == 33u) {
            n = min(n, 0x7FFFFFFFu);  // one less saturates as well
        }
        let wide = i64_shl(vec2<u32>(n, 0u), up);
        let high = wide.y / m;
        let low = divide_words(wide.y - high * m, wide.x, m);
        q = vec2<u32>(low.x, high);
        inexact = low.y != 0u;
        if (kd != KIND_I && high > 0x40000000u) {
            q = vec2<u32>(0u, 0x40000000u);  // still saturates, and has a negative
        }
    }
    if (negative) {
        q = i64_sub(i64_neg(q), vec2<u32>(select(0u, 1u, inexact), 0u));
    }
    return finish64(q, bits, kd);
}

// The rest of a division by +-m that floors, from the rest of the magnitudes.
fn floored_rest(rest: u32, m: u32, x_negative: bool, y_negative: bool) -> u32 {
    let size = select(rest, m - rest, rest != 0u && x_negative != y_negative);
    return select(size, 0u - size, y_negative);
}

fn op_modulo(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    let y_negative = i32(y) < 0;
    let m = magnitude(y);
    if (ka == KIND_X && kb != KIND_X) {
        // The part stays as it is; below a negative y nothing positive may be left.
        let whole = u32(i32(x) >> 16u);
        let part = x & 0xFFFFu;
        var rest = i32(floored_rest(magnitude(whole) % m, m, i32(x) < 0, y_negative));
        if (rest == 0 && part != 0u && y_negative) {
            rest = i32(y);
        }
        return finish_parts(select(min(rest, FAR), rest, kd == KIND_I), part, kd);
    }
    let n = magnitude(x);
    if (ka != KIND_X && kb == KIND_X) {
        let high = n >> 16u;
        let rest = divide_words(high % m, n << 16u, m).y;
        return convert(floored_rest(rest, m, i32(x) < 0, y_negative), KIND_X, kd);
    }
    let rest = floored_rest(n % m, m, i32(x) < 0, y_negative);
    return convert(rest, select(KIND_I, KIND_X, ka == KIND_X), kd);
}

// ---- comparing --------------------------------------------------------------------------------

fn less_than(x: u32, y: u32, ka: u32, kb: u32) -> bool {
    if ((ka == KIND_X) == (kb == KIND_X)) {
        return i32(x) < i32(y);
    }
    let left = floor_of(x, ka);
    let right = floor_of(y, kb);
    return left < right || (left == right && part_of(x, ka) < part_of(y, kb));
}

fn truth(value: bool, kd: u32) -> u32 {
    return select(0u, select(1u, 0x10000u, kd == KIND_X), value);
}

fn op_relu(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    if (less_than(x, y, ka, kb)) {
        return convert(y, kb, kd);
    }
    return convert(x, ka, kd);
}

fn op_lesser(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    if (less_than(x, y, ka, kb)) {
        return convert(x, ka, kd);
    }
    return convert(y, kb, kd);
}

fn op_less(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    return truth(less_than(x, y, ka, kb), kd);
}

fn op_equal(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    let same = floor_of(x, ka) == floor_of(y, kb) && part_of(x, ka) == part_of(y, kb);
    return truth(same, kd);
}
