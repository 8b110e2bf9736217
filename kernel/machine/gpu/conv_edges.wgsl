// Where a convolution reads beyond the edges.

// The coordinate sum - half of an axis of ``size`` elements, clamped or wrapped into it.
fn place(sum: u32, half: u32, size: u32, wrapped: bool) -> u32 {
    if (sum < half) {
        if (!wrapped) {
            return 0u;
        }
        let back = (half - sum) % size;
        return select(size - back, 0u, back == 0u);
    }
    let found = sum - half;
    if (found < size) {
        return found;
    }
    if (wrapped) {
        return found % size;
    }
    return size - 1u;
}
