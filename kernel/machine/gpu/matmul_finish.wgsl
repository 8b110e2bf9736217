//! include finish
// The end of a matrix product: exact sums of up to 96 bits become one element.
//
// With P = sum of a * b and S = sum of a (raw integers) the value is m1 * P * 2^e1 + m2 * S * 2^e2:
// m1 = 1 and m2 = 0, or, for a quantised b, the odd parts of its scale and offset.  What is stored is
// that value in units of the destination, floored (I) or rounded half up.  Exponents reach from
// -165 to 121, so the sum is formed word by word around the binary point.
//
// n[0], n[1]: places of the two terms, in bits from the point of the result, with one bit more
// below it where the result is rounded.  n[2], n[3]: m1, m2.  n[4]: QUANTISED if there is an S, NARROW
// if both terms, brought to the lower of their places, which is not above 0, stay below 2^95.

const QUANTISED: u32 = 1u;
const NARROW: u32 = 2u;

// A signed integer of 96 bits, the low word first.
fn wide_of(v: vec2<u32>) -> vec3<u32> {
    return vec3<u32>(v, u32(i32(v.y) >> 31u));
}

fn wide_add(a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let x = a.x + b.x;
    let carry = select(0u, 1u, x < a.x);
    let y = a.y + b.y;
    let z = y + carry;
    let over = select(0u, 1u, y < a.y) + select(0u, 1u, z < y);
    return vec3<u32>(x, z, a.z + b.z + over);
}

// v * 2^n of a signed word, 0 <= n <= 64, modulo 2^96.
fn wide_shifted(v: i32, n: u32) -> vec3<u32> {
    let low = u32(v);
    let sign = u32(v >> 31u);
    let by = n & 31u;
    var over = sign;
    if (by != 0u) {
        over = (low >> (32u - by)) | (sign << by);
    }
    if (n == 64u) {
        return vec3<u32>(0u, 0u, low);
    }
    if (n >= 32u) {
        return vec3<u32>(0u, low << by, over);
    }
    return vec3<u32>(low << by, over, sign);
}

// v * m of a signed v and a signed m of at most 24 bits; the product must fit 96 bits.
fn wide_times(v: vec3<u32>, m: i32) -> vec3<u32> {
    let factor = u32(abs(m));
    let low = mul_wide(v.x, factor);
    let high = mul_wide(v.y, factor);
    let middle = low.y + high.x;
    let top = high.y + v.z * factor + select(0u, 1u, middle < low.y);
    let product = vec3<u32>(low.x, middle, top);
    if (m >= 0) {
        return product;
    }
    return wide_add(~product, vec3<u32>(1u, 0u, 0u));
}

fn wide_word(t: vec3<u32>, i: i32) -> u32 {
    if (i < 0) {
        return 0u;
    }
    if (i > 2) {
        return u32(i32(t.z) >> 31u);
    }
    return select(select(t.z, t.y, i == 1), t.x, i == 0);
}

// Bits position .. position + 31 of an integer, which goes on with its sign above and zeros below.
fn wide_bits(t: vec3<u32>, position: i32) -> u32 {
    let i = position >> 5u;
    let low = wide_word(t, i);
    let by = u32(position) & 31u;
    if (by == 0u) {
        return low;
    }
    return (low >> by) | (wide_word(t, i + 1) << (32u - by));
}

// The element for floor(t1 * 2^p1 + t2 * 2^p2), which for X and bytes is twice the result.
fn finish_wide(t1: vec3<u32>, p1: i32, t2: vec3<u32>, p2: i32, kind: u32) -> u32 {
    let first = min(min(p1, p2) >> 5u, 0);
    let last = max((max(p1, p2) >> 5u) + 4, 2);
    var carry = 0u;
    var low = vec2<u32>(0u, 0u);
    var any = 0u;
    var all = 0xFFFFFFFFu;
    var top = 0u;
    for (var i = first; i <= last; i++) {
        let x = wide_bits(t1, 32 * i - p1);
        let y = x + wide_bits(t2, 32 * i - p2);
        let word = y + carry;
        carry = select(0u, 1u, y < x) + select(0u, 1u, word < y);
        if (i == 0) {
            low.x = word;
        } else if (i == 1) {
            low.y = word;
        } else if (i > 1) {
            any |= word;
            all &= word;
            top = word;
        }
    }
    return finish_floor(low, any, all, top, kind);
}

// v * 2^n modulo 2^96.
fn wide_up(v: vec3<u32>, n: u32) -> vec3<u32> {
    var t = v;
    for (var words = n >> 5u; words > 0u; words--) {
        t = vec3<u32>(0u, t.x, t.y);
    }
    let by = n & 31u;
    if (by == 0u) {
        return t;
    }
    let back = 32u - by;
    return vec3<u32>(t.x << by, (t.y << by) | (t.x >> back), (t.z << by) | (t.y >> back));
}

// floor(v / 2^n) of a signed v.
fn wide_down(v: vec3<u32>, n: u32) -> vec3<u32> {
    var t = v;
    let sign = u32(i32(v.z) >> 31u);
    for (var words = n >> 5u; words > 0u; words--) {
        t = vec3<u32>(t.y, t.z, sign);
    }
    let by = n & 31u;
    if (by == 0u) {
        return t;
    }
    let back = 32u - by;
    return vec3<u32>((t.x >> by) | (t.y << back), (t.y >> by) | (t.z << back), u32(i32(t.z) >> by));
}

// The same as finish_wide where 96 bits hold it all.
fn finish_narrow(t1: vec3<u32>, p1: i32, t2: vec3<u32>, p2: i32, kind: u32) -> u32 {
    let place = min(p1, p2);
    let sum = wide_add(wide_up(t1, u32(p1 - place)), wide_up(t2, u32(p2 - place)));
    let t = wide_down(sum, u32(-place));
    return finish_floor(t.xy, t.z, t.z, t.z, kind);
}

// The element for a floor: its 64 low bits, all words above or-ed and and-ed, and the highest.
fn finish_floor(low: vec2<u32>, any: u32, all: u32, top: u32, kind: u32) -> u32 {
    if (kind == KIND_I) {
        return low.x;
    }
    let negative = i64_negative(low);
    if (select(any == 0u, all == 0xFFFFFFFFu, negative)) {
        // half up without an addition that could overflow
        return finish_whole(i64_add(i64_sar(low, 1u), vec2<u32>(low.x & 1u, 0u)), kind);
    }
    let below = i32(top) < 0; // the last word is all sign
    if (kind == KIND_X) {
        return select(0x7FFFFFFFu, 0x80000000u, below);
    }
    return select(255u, 0u, below);
}

// The element for P and S.
fn finish_product(product: vec3<u32>, sum: vec2<u32>) -> u32 {
    var left = product;
    var right = vec3<u32>(0u);
    if ((p.n[4] & QUANTISED) != 0u) {
        left = wide_times(product, i32(p.n[2]));
        right = wide_times(wide_of(sum), i32(p.n[3]));
    }
    if ((p.n[4] & NARROW) != 0u) {
        return finish_narrow(left, i32(p.n[0]), right, i32(p.n[1]), p.d.kind);
    }
    return finish_wide(left, i32(p.n[0]), right, i32(p.n[1]), p.d.kind);
}
