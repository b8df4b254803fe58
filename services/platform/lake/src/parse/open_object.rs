//! What an object is wrapped in, told by its first bytes, never by its name.

use flate2::read::MultiGzDecoder;
use std::io::{BufReader, Cursor, Read};

/// The object's content, decompressed.
pub(crate) fn open_object<'a>(mut input: Box<dyn Read + Send + 'a>) -> Box<dyn Read + Send + 'a> {
    let mut head = Vec::with_capacity(2);
    let read = input.by_ref().take(2).read_to_end(&mut head);
    let is_gzip = head == [0x1f, 0x8b];
    let failed = read.err().map(FailOnce);
    let whole: Box<dyn Read + Send + 'a> = match failed {
        Some(failure) => Box::new(Cursor::new(head).chain(failure)),
        None => Box::new(Cursor::new(head).chain(input)),
    };
    if is_gzip { Box::new(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, whole))) } else { whole }
}

/// Hands on a read error that came before the content was asked for.
struct FailOnce(std::io::Error);

impl Read for FailOnce {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::new(self.0.kind(), self.0.to_string()))
    }
}
