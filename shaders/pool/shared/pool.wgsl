// Windows of a pooling over [channels, height, width, batch].
//
// The kernel's Params have the sizes of a pooling: batch, channels, in_height, .., padding.

// The rows (or columns) of the input in the window of an output row (or column): the first that is not padding, and one
// past the last.
fn window_of(position: u32, size: u32, length: u32) -> vec2<u32> {
    let start = position * params.stride;
    let first = max(start, params.padding) - params.padding;
    return vec2<u32>(first, min(max(start + size, params.padding) - params.padding, length));
}

// The windows that contain a row (or column) of the input: the first, and one past the last.
fn windows_of(position: u32, size: u32, positions: u32) -> vec2<u32> {
    let padded = position + params.padding;
    let before = max(padded + 1u, size) - size; // windows that start before this row end above it
    return vec2<u32>((before + params.stride - 1u) / params.stride, min(padded / params.stride + 1u, positions));
}
