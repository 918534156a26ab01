//! The IDX format of the MNIST database, plain or gzipped.
//!
//! Big-endian: a magic number `0x0000_08_dd` (unsigned bytes, dd dimensions), the dimensions as 32-bit numbers, the bytes.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::DataError;
use crate::math::shape::Shape;

/// The most bytes that a file may hold once unpacked: what 32-bit indices count.
const MAX_BYTES: u64 = u32::MAX as u64;

/// Images, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Images {
    pub(super) count: usize,
    /// Of one image.
    pub(super) shape: Shape,
    pub(super) bytes: Vec<u8>,
}

/// Magic numbers of images: grey, and in colour.
const GREY: u32 = 0x0000_0803;
const COLOUR: u32 = 0x0000_0804;

/// Parses a file of grey images, `[count, height, width]`, or of images in colour or of several maps of any kind,
/// `[count, channels, height, width]`; `file` names it in errors.
pub(super) fn images(file: &str, content: &[u8]) -> Result<Images, DataError> {
    let (count, shape, bytes) = match parse::<3>(file, content, "images", GREY) {
        Err(DataError::Magic { found: COLOUR, .. }) => {
            let ([count, channels, height, width], bytes) = parse::<4>(file, content, "images", COLOUR)?;
            (count, Shape::Maps { channels, height, width }, bytes)
        }
        parsed => {
            let ([count, height, width], bytes) = parsed?;
            (count, Shape::Maps { channels: 1, height, width }, bytes)
        }
    };
    Ok(Images { count, shape, bytes })
}

/// Parses a label file, `[count]`.
pub(super) fn labels(file: &str, content: &[u8]) -> Result<Vec<u8>, DataError> {
    Ok(parse::<1>(file, content, "labels", 0x0000_0801)?.1)
}

fn parse<const D: usize>(
    file: &str,
    content: &[u8],
    what: &'static str,
    magic: u32,
) -> Result<([usize; D], Vec<u8>), DataError> {
    if content.starts_with(&[0x1f, 0x8b]) {
        let unsound = |cause| DataError::Gzip { file: file.to_string(), cause };
        read(file, &mut MultiGzDecoder::new(content), what, magic, unsound)
    } else {
        let unreadable = |cause| DataError::Unreadable { file: file.to_string(), cause };
        read(file, &mut &content[..], what, magic, unreadable)
    }
}

fn read<const D: usize>(
    file: &str,
    reader: &mut impl Read,
    what: &'static str,
    magic: u32,
    failed: impl Fn(std::io::Error) -> DataError,
) -> Result<([usize; D], Vec<u8>), DataError> {
    let mut header = Vec::new();
    reader.take(4 * (1 + D as u64)).read_to_end(&mut header).map_err(&failed)?;
    let mut words = header.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    let found = words.next().unwrap_or(0);
    if found != magic {
        return Err(DataError::Magic { file: file.to_string(), what, found, wanted: magic });
    }
    let sizes: Vec<u32> = words.collect();
    let Ok(sizes) = <[u32; D]>::try_from(sizes) else {
        let (found, announced) = (header.len() as u64, 4 * (1 + D as u64));
        return Err(DataError::Length {
            file: file.to_string(),
            found,
            announced,
            dimensions: "its header".to_string(),
        });
    };
    let dimensions = sizes.map(|size| size.to_string()).join(" x ") + " " + what;
    let announced = sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(u64::from(size)));
    let announced = match announced {
        Some(0) => {
            return Err(DataError::Empty { file: file.to_string(), dimensions });
        }
        Some(announced) if announced <= MAX_BYTES => announced,
        _ => {
            return Err(DataError::TooLarge { file: file.to_string(), dimensions, limit: MAX_BYTES });
        }
    };
    // One byte more than announced shows a file that is too long; the decoder checks its sum at the end.
    let mut bytes = Vec::new();
    reader.take(announced + 1).read_to_end(&mut bytes).map_err(&failed)?;
    let found = bytes.len() as u64;
    if found != announced {
        return Err(DataError::Length { file: file.to_string(), found, announced, dimensions });
    }
    Ok((sizes.map(|size| size as usize), bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(magic: u32, sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut content = magic.to_be_bytes().to_vec();
        for size in sizes {
            content.extend(size.to_be_bytes());
        }
        content.extend(bytes);
        content
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_gzipped_files_read_alike() {
        let content = file(0x803, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let shape = Shape::Maps { channels: 1, height: 1, width: 3 };
        let expected = Images { count: 2, shape, bytes: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(images("x", &content).unwrap(), expected);
        assert_eq!(images("x", &gzip(&content)).unwrap(), expected);
        assert_eq!(labels("x", &file(0x801, &[2], &[7, 9])).unwrap(), [7, 9]);
        let shape = Shape::Maps { channels: 3, height: 1, width: 2 };
        let expected = Images { count: 1, shape, bytes: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(images("x", &file(0x804, &[1, 3, 1, 2], &[1, 2, 3, 4, 5, 6])).unwrap(), expected);
    }

    /// Every prefix of a sound file is an error, and so is every file with one bit of its sum turned.
    #[test]
    fn damage_is_noticed() {
        let content = file(0x803, &[2, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8]);
        let packed = gzip(&content);
        for length in 0..content.len() {
            assert!(images("x", &content[..length]).is_err(), "{length} plain bytes");
        }
        for length in 0..packed.len() {
            assert!(images("x", &packed[..length]).is_err(), "{length} packed bytes");
        }
        for byte in 1..=8 {
            let mut damaged = packed.clone();
            let at = damaged.len() - byte;
            damaged[at] ^= 1;
            assert!(matches!(images("x", &damaged), Err(DataError::Gzip { .. })), "trailer byte {byte}");
        }
        assert!(matches!(images("x", &[content, vec![0]].concat()), Err(DataError::Length { found: 9, .. })));
    }

    #[test]
    fn wrong_kinds_and_absurd_sizes_are_told_apart() {
        assert!(matches!(images("x", &file(0x801, &[1], &[1])), Err(DataError::Magic { found: 0x801, .. })));
        assert!(matches!(labels("x", &file(0x803, &[1, 1, 1], &[1])), Err(DataError::Magic { .. })));
        assert!(matches!(images("x", &file(0x803, &[u32::MAX; 3], &[])), Err(DataError::TooLarge { .. })));
        assert!(matches!(images("x", &file(0x803, &[0, 28, 28], &[])), Err(DataError::Empty { .. })));
        assert!(matches!(images("x", b""), Err(DataError::Magic { found: 0, .. })));
    }
}
