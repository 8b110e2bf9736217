//! include finish
// And, Or, Xor and Shift of raw elements x and y of kinds ka and kb into kind kd.

// Raw words are stored as they are, into bytes their low 8 bits.
fn stored_raw(raw: u32, kd: u32) -> u32 {
    return select(raw, raw & 0xFFu, is_bytes(kd));
}

fn op_and(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    return stored_raw(x & y, kd);
}

fn op_or(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    return stored_raw(x | y, kd);
}

fn op_xor(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    return stored_raw(x ^ y, kd);
}

fn op_shift(x: u32, y: u32, ka: u32, kb: u32, kd: u32) -> u32 {
    let count = clamp(floor_of(y, kb), -32, 32);
    if (count <= 0) {
        // What is left is an element of a's kind; 31 places leave the sign, as 32 do.
        return convert(u32(i32(x) >> u32(min(-count, 31))), ka, kd);
    }
    if (kd == KIND_I && ka != KIND_X) {
        return select(x << (u32(count) & 31u), 0u, count == 32);
    }
    return finish64(i64_shl(i64_of(i32(x)), u32(count)), fraction_of(ka), kd);
}
