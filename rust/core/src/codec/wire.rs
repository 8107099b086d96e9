//! Avro's binary form: variable-length integers, and a cursor that never leaves the data.

/// Why reading stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The data ends before what is there should.
    Truncated,
    /// No encoder writes this.
    Corrupt(&'static str),
}

/// Items that take no byte (nulls, empty records) allowed per message: without a limit a few bytes could announce 2^62.
pub const EMPTY_ITEMS: usize = 1 << 18;

/// Where reading is.
pub struct Input<'a> {
    data: &'a [u8],
    position: usize,
    /// The next length is not in the data: the value takes all that is left (top-level `bytes`).
    whole: bool,
    empty_items: usize,
}

impl<'a> Input<'a> {
    pub fn new(data: &'a [u8], whole: bool) -> Self {
        Input { data, position: 0, whole, empty_items: EMPTY_ITEMS }
    }

    #[inline]
    pub fn left(&self) -> usize {
        self.data.len() - self.position
    }

    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Stop> {
        if count > self.left() {
            return Err(Stop::Truncated);
        }
        let start = self.position;
        self.position += count;
        Ok(&self.data[start..self.position])
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    /// A zig-zag integer of at most ten bytes.
    #[inline]
    pub fn long(&mut self) -> Result<i64, Stop> {
        let Some(&first) = self.data.get(self.position) else { return Err(Stop::Truncated) };
        self.position += 1;
        if first < 0x80 {
            return Ok(unzigzag(u64::from(first)));
        }
        self.rest_of_long(first)
    }

    fn rest_of_long(&mut self, first: u8) -> Result<i64, Stop> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..70).step_by(7) {
            let Some(&byte) = self.data.get(self.position) else { return Err(Stop::Truncated) };
            self.position += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(unzigzag(value));
            }
        }
        Err(Stop::Corrupt("a number of more than ten bytes"))
    }

    /// Bytes behind their length.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Stop> {
        let length = if self.whole {
            self.whole = false;
            self.left()
        } else {
            usize::try_from(self.long()?).map_err(|_| Stop::Corrupt("a negative length"))?
        };
        self.take(length)
    }

    /// The number of items in the next block of an array or a map, each of which takes `least` bytes or more; 0 at the
    /// end. The block's size in bytes, which stands there after a negative number, comes with it.
    #[inline]
    pub fn block(&mut self, least: usize) -> Result<(usize, Option<usize>), Stop> {
        let count = self.long()?;
        let size = if count < 0 {
            Some(usize::try_from(self.long()?).map_err(|_| Stop::Corrupt("a negative block size"))?)
        } else {
            None
        };
        let count = usize::try_from(count.unsigned_abs()).map_err(|_| Stop::Corrupt("too many items"))?;
        match count.checked_mul(least) {
            Some(bytes) if bytes <= self.left() => Ok((count, size)),
            _ => Err(Stop::Truncated),
        }
    }

    /// Count items that take no byte.
    #[inline]
    pub fn spend(&mut self, items: usize) -> Result<(), Stop> {
        match self.empty_items.checked_sub(items) {
            Some(left) => {
                self.empty_items = left;
                Ok(())
            }
            None => Err(Stop::Corrupt("more than 262,144 items that take no space")),
        }
    }
}

#[inline]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[inline]
pub fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[inline]
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// The big-endian bytes of a number, as few as Avro's reference writes: a sign bit always fits.
pub fn integer_bytes(value: i128) -> ([u8; 17], usize) {
    let bits = 128 - value.unsigned_abs().leading_zeros() as usize;
    let count = (bits + 8) / 8;
    let mut bytes = [if value < 0 { 0xff } else { 0 }; 17];
    bytes[1..].copy_from_slice(&value.to_be_bytes());
    (bytes, count)
}

/// What `integer_bytes` wrote, if it fits.
pub fn integer_from(bytes: &[u8]) -> Option<i128> {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    if bytes.len() > 16 {
        return None;
    }
    Some(bytes.iter().fold(sign, |value: i128, byte| value << 8 | i128::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        put_long(&mut out, value);
        out
    }

    #[test]
    fn longs_come_back() {
        for value in [0, -1, 1, 63, 64, -64, -65, i64::from(i32::MAX), i64::MIN, i64::MAX] {
            let bytes = written(value);
            let mut input = Input::new(&bytes, false);
            assert_eq!(input.long(), Ok(value));
            assert_eq!(input.left(), 0);
            for end in 0..bytes.len() {
                assert_eq!(Input::new(&bytes[..end], false).long(), Err(Stop::Truncated));
            }
        }
        assert_eq!(written(-2), [3]);
        assert_eq!(written(64), [0x80, 1]);
    }

    #[test]
    fn a_long_ends_after_ten_bytes() {
        assert!(matches!(Input::new(&[0xff; 11], false).long(), Err(Stop::Corrupt(_))));
    }

    #[test]
    fn lengths_are_checked_against_what_is_left() {
        for length in [2, i64::MAX] {
            assert_eq!(Input::new(&written(length), false).bytes(), Err(Stop::Truncated));
        }
        assert!(matches!(Input::new(&written(-1), false).bytes(), Err(Stop::Corrupt(_))));
        assert_eq!(Input::new(b"abc", true).bytes(), Ok(&b"abc"[..]));
    }

    #[test]
    fn blocks_hold_no_more_than_the_data() {
        let announced = [written(1 << 40), vec![0; 100]].concat();
        assert_eq!(Input::new(&announced, false).block(1), Err(Stop::Truncated));
        assert_eq!(Input::new(&announced, false).block(0), Ok((1 << 40, None)));
        let sized = [written(-2), written(7), vec![0; 2]].concat();
        assert_eq!(Input::new(&sized, false).block(1), Ok((2, Some(7))));
        assert_eq!(Input::new(&written(i64::MIN), false).block(0), Err(Stop::Truncated));
        let mut input = Input::new(&[], false);
        assert_eq!(input.spend(EMPTY_ITEMS), Ok(()));
        assert!(matches!(input.spend(1), Err(Stop::Corrupt(_))));
    }

    #[test]
    fn integers_come_back() {
        for value in [0, 1, -1, 127, 128, -128, -129, 255, 1 << 100, -(1 << 100), i128::MAX, i128::MIN] {
            let (bytes, count) = integer_bytes(value);
            let written = &bytes[17 - count..];
            if count <= 16 {
                assert_eq!(integer_from(written), Some(value));
            }
        }
        assert_eq!(integer_bytes(0).1, 1);
        assert_eq!(integer_bytes(-128).1, 2);
        assert_eq!(integer_from(&[]), Some(0));
    }
}
