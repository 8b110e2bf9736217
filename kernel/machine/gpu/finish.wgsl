//! include int64
// Kinds: what raw elements are worth, and how exact values become elements of a kind.

const KIND_I: u32 = 73u;
const KIND_X: u32 = 88u;
const KIND_T: u32 = 84u;
const KIND_P: u32 = 80u;
const KIND_Q: u32 = 81u;

fn is_bytes(kind: u32) -> bool {
    return kind == KIND_T || kind == KIND_P || kind == KIND_Q;
}

// Fraction bits of the raw integers of a kind.
fn fraction_of(kind: u32) -> u32 {
    return select(0u, 16u, kind == KIND_X);
}

// A raw element as the signed integer that it is: bytes are positive.
fn signed_raw(raw: u32) -> i32 {
    return i32(raw);
}

// The value of a raw element times 2^16: exact for every kind but Q.
fn value16(raw: u32, kind: u32) -> vec2<u32> {
    let v = i64_of(i32(raw));
    if (kind == KIND_X) {
        return v;
    }
    return i64_shl(v, 16u);
}

// floor of the value of a raw element.
fn floor_of(raw: u32, kind: u32) -> i32 {
    return i32(raw) >> select(0u, 16u, kind == KIND_X);
}

// The raw element of ``kind`` for the exact number v / 2^fraction, 0 <= fraction <= 63: I floors
// modulo 2^32, X rounds half up and saturates, bytes round half up and clamp.
fn finish64(v: vec2<u32>, fraction: u32, kind: u32) -> u32 {
    if (kind == KIND_I) {
        return i64_sar(v, fraction).x;
    }
    let wanted = fraction_of(kind);
    if (fraction > wanted) {
        // floor(v / 2^s + 1/2) without an addition that could overflow
        let half = i64_sar(v, fraction - wanted - 1u);
        let rounded = i64_sar(i64_add(half, vec2<u32>(1u, 0u)), 1u);
        return finish_whole(rounded, kind);
    }
    if (fraction < wanted) {
        // beyond 2^32 the result saturates anyway; below, the shift cannot overflow
        let up = wanted - fraction;
        if (v.y != u32(i32(v.x) >> 31u)) {
            return select(0x7FFFFFFFu, 0x80000000u, i64_negative(v));
        }
        return i64_saturate(i64_shl(v, up));
    }
    return finish_whole(v, kind);
}

fn finish_whole(v: vec2<u32>, kind: u32) -> u32 {
    if (kind == KIND_X) {
        return i64_saturate(v);
    }
    return i64_byte(v);
}

// A raw element of kind ``from`` (not Q) as the raw element of kind ``to`` that has its value, finished.
fn convert(raw: u32, kind: u32, to: u32) -> u32 {
    if (kind == to || (is_bytes(kind) && (is_bytes(to) || to == KIND_I))) {
        return raw;
    }
    if (kind == KIND_X) {
        if (to == KIND_I) {
            return u32(i32(raw) >> 16u);
        }
        let rounded = ((i32(raw) >> 15u) + 1) >> 1u;
        return u32(clamp(rounded, 0, 255));
    }
    if (to == KIND_X) {
        let v = i32(raw);
        if (v > 32767) {
            return 0x7FFFFFFFu;
        }
        return u32(max(v, -32768)) << 16u;
    }
    return u32(clamp(i32(raw), 0, 255));
}
