// Windows of pooling over maps [channels, height, width, batch].
//
// The kernel that uses this part has the parameters of a pooling: batch, channels, in_height, .., padding.

// Of a position on one axis of the output: the first row, or column, of its window that is not padding, and one past the last.
fn window_of(position: u32, size: u32, length: u32) -> vec2<u32> {
    let start = position * params.stride;
    let first = max(start, params.padding) - params.padding;
    return vec2<u32>(first, min(max(start + size, params.padding) - params.padding, length));
}

// Of a row, or column, of the input: the first window that it is in, and one past the last.
fn windows_of(position: u32, size: u32, positions: u32) -> vec2<u32> {
    let padded = position + params.padding;
    let before = max(padded + 1u, size) - size; // starts of windows before this one end too early
    return vec2<u32>((before + params.stride - 1u) / params.stride, min(padded / params.stride + 1u, positions));
}
