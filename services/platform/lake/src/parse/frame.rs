//! Bytes → frames: one line, or one JSON value of a document.
//!
//! A frame longer than [`MAX_FRAME_BYTES`] is read to its end, but only its beginning is kept.

use crate::json_text::n_plain;
use std::io::Read;

/// A record longer than this is quarantined.
pub(crate) const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// What is kept of it.
pub(crate) const KEPT_OF_LONG_BYTES: usize = 64 * 1024;
/// What source and layout are told from.
const SAMPLE_BYTES: usize = 256 * 1024;

/// Where a frame is in the decompressed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    /// 1 for the first.
    pub(crate) line: u64,
}

#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) place: Place,
    /// Length in the object; more than `bytes` when the frame was too long.
    pub(crate) total_bytes: u64,
    /// Why it cannot be a record.
    pub(crate) fault: Option<String>,
}

/// How an object is cut into frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Lines,
    /// JSON values one after the other, however they are broken into lines. The items of top-level arrays, and of the
    /// named arrays in a top-level object, are frames of their own.
    Document {
        containers: &'static [&'static str],
    },
}

pub(crate) struct Framer<R> {
    input: R,
    chunk: Vec<u8>,
    at: usize,
    len: usize,
    offset: u64,
    line: u64,
    /// Why reading stopped before the end.
    failure: Option<String>,
    ended: bool,
    buffer: Vec<u8>,
    total: u64,
    place: Place,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Top,
    Items { in_object: bool },
    Done,
}

enum Scan {
    Complete,
    /// The object ended inside the value.
    Cut,
}

impl<R: Read> Framer<R> {
    pub(crate) fn new(input: R) -> Self {
        let place = Place { offset: 0, line: 1 };
        let mut framer = Self {
            input,
            chunk: vec![0; SAMPLE_BYTES],
            at: 0,
            len: 0,
            offset: 0,
            line: 1,
            failure: None,
            ended: false,
            buffer: Vec::new(),
            total: 0,
            place,
            state: State::Top,
        };
        framer.fill();
        if framer.sample().starts_with(b"\xEF\xBB\xBF") {
            framer.advance(3);
        }
        framer
    }

    /// The beginning of the object.
    pub(crate) fn sample(&self) -> &[u8] {
        &self.chunk[self.at..self.len]
    }

    /// Decompressed bytes read so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.offset
    }

    pub(crate) fn next(&mut self, layout: Layout) -> Option<Frame<'_>> {
        let fault = match layout {
            Layout::Lines => self.next_line(),
            Layout::Document { containers } => self.next_value(containers),
        };
        let fault = match fault {
            Some(fault) => fault,
            None => {
                // The end. A failure that cut no record is still told, once.
                let failure = self.failure.take()?;
                self.begin();
                Some(failure)
            }
        };
        let fault = if self.total > MAX_FRAME_BYTES as u64 {
            Some(format!("record of {} bytes is longer than the limit of {MAX_FRAME_BYTES} bytes", self.total))
        } else {
            fault
        };
        Some(Frame { bytes: &self.buffer, place: self.place, total_bytes: self.total, fault })
    }

    /// Everything that is left, if it is not longer than `limit`.
    pub(crate) fn read_all(&mut self, limit: usize) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        while self.has_more() {
            all.extend_from_slice(&self.chunk[self.at..self.len]);
            self.advance(self.len - self.at);
            if all.len() > limit {
                return Err(format!("file is longer than the limit of {limit} bytes for its format"));
            }
        }
        self.failure.take().map_or(Ok(all), Err)
    }

    /// `None` at the end, otherwise the frame's fault.
    #[expect(clippy::option_option, reason = "the outer option ends the iteration, the inner one is the frame's fault")]
    fn next_line(&mut self) -> Option<Option<String>> {
        loop {
            if !self.has_more() {
                return None;
            }
            self.begin();
            let complete = self.take_line();
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
                self.total -= 1;
            }
            let cut = if complete { None } else { self.failure.take() };
            if cut.is_some() || !self.buffer.iter().all(u8::is_ascii_whitespace) {
                return Some(cut);
            }
        }
    }

    #[expect(clippy::option_option, reason = "the outer option ends the iteration, the inner one is the frame's fault")]
    fn next_value(&mut self, containers: &[&str]) -> Option<Option<String>> {
        loop {
            self.skip_space();
            match (self.state, self.peek()) {
                (State::Done, _) | (State::Top, None) => return None,
                (State::Top, Some(b'[')) => {
                    self.advance(1);
                    self.state = State::Items { in_object: false };
                }
                (State::Top, Some(b'{')) => {
                    self.begin();
                    if let Some(scan) = self.take_object(containers) {
                        return Some(self.fault_of(scan));
                    }
                }
                (State::Top, Some(_)) => {
                    self.begin();
                    self.take_lines_to_next_value();
                    return Some(Some("expected a JSON object or array".to_owned()));
                }
                (State::Items { .. }, None) => {
                    self.state = State::Done;
                    self.begin();
                    let reason = "the file ends before the array of records is closed".to_owned();
                    return Some(Some(self.failure.take().unwrap_or(reason)));
                }
                (State::Items { .. }, Some(b',')) => self.advance(1),
                (State::Items { in_object }, Some(b']')) => {
                    self.advance(1);
                    self.state = State::Top;
                    if in_object {
                        self.begin();
                        if matches!(self.take_value(1), Scan::Cut) {
                            return Some(self.fault_of(Scan::Cut));
                        }
                    }
                }
                (State::Items { .. }, Some(b'}' | b':')) => {
                    self.begin();
                    self.take_lines_to_next_value();
                    return Some(Some("expected a record or the end of the array".to_owned()));
                }
                (State::Items { .. }, Some(_)) => {
                    self.begin();
                    let scan = self.take_value(0);
                    return Some(self.fault_of(scan));
                }
            }
        }
    }

    fn fault_of(&mut self, scan: Scan) -> Option<String> {
        match scan {
            Scan::Complete => None,
            Scan::Cut => {
                self.state = State::Done;
                Some(self.failure.take().unwrap_or_else(|| "the file ends inside a record".to_owned()))
            }
        }
    }

    /// Takes a top-level object, or enters the array of records in it and returns `None`.
    fn take_object(&mut self, containers: &[&str]) -> Option<Scan> {
        self.keep(1);
        loop {
            self.keep_space();
            match self.peek() {
                None => return Some(Scan::Cut),
                Some(b'}') => {
                    self.keep(1);
                    return Some(Scan::Complete);
                }
                Some(b',') => self.keep(1),
                Some(b'"') => {
                    let name_from = self.buffer.len();
                    if matches!(self.take_value(0), Scan::Cut) {
                        return Some(Scan::Cut);
                    }
                    let is_container = self
                        .buffer
                        .get(name_from + 1..self.buffer.len().saturating_sub(1))
                        .is_some_and(|name| containers.iter().any(|container| container.as_bytes() == name));
                    self.keep_space();
                    if self.peek() == Some(b':') {
                        self.keep(1);
                        self.keep_space();
                    }
                    match self.peek() {
                        Some(b'[') if is_container => {
                            self.advance(1);
                            self.state = State::Items { in_object: true };
                            return None;
                        }
                        Some(b'}' | b',') => {}
                        Some(_) => {
                            if matches!(self.take_value(0), Scan::Cut) {
                                return Some(Scan::Cut);
                            }
                        }
                        None => return Some(Scan::Cut),
                    }
                }
                // Not JSON: the parser says where.
                Some(_) => {
                    self.take_lines_to_next_value();
                    return Some(Scan::Complete);
                }
            }
        }
    }

    /// Takes one JSON value by its brackets and quotes; with a `depth` of 1, the rest of a value that was entered.
    fn take_value(&mut self, mut depth: usize) -> Scan {
        let (mut in_string, mut escaped, mut scalar) = (false, false, false);
        while self.has_more() {
            let chunk = &self.chunk[self.at..self.len];
            let mut end = None;
            let mut position = 0;
            while let Some(&byte) = chunk.get(position) {
                position += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if in_string => escaped = true,
                    b'"' => {
                        in_string = !in_string;
                        if !in_string && depth == 0 {
                            end = Some(position);
                            break;
                        }
                    }
                    _ if in_string => position += n_plain(&chunk[position..]),
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => {
                        end = Some(position - 1);
                        break;
                    }
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            end = Some(position);
                            break;
                        }
                    }
                    _ => scalar = true,
                }
            }
            let n_bytes = end.unwrap_or(self.len - self.at);
            self.keep(n_bytes);
            if end.is_some() {
                return Scan::Complete;
            }
        }
        if scalar && depth == 0 && !in_string && self.failure.is_none() { Scan::Complete } else { Scan::Cut }
    }

    /// Takes lines up to one that begins with an object or array.
    fn take_lines_to_next_value(&mut self) {
        loop {
            self.take_line();
            match self.peek() {
                None | Some(b'{' | b'[') => return,
                Some(_) => self.push(b"\n"),
            }
        }
    }

    /// Takes up to the end of the line; `false` when the object ended before one.
    fn take_line(&mut self) -> bool {
        while self.has_more() {
            let chunk = &self.chunk[self.at..self.len];
            if let Some(length) = memchr::memchr(b'\n', chunk) {
                self.keep(length);
                self.advance(1);
                return true;
            }
            self.keep(self.len - self.at);
        }
        false
    }

    fn begin(&mut self) {
        self.buffer.clear();
        self.total = 0;
        self.place = Place { offset: self.offset, line: self.line };
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(byte) if byte.is_ascii_whitespace()) {
            self.advance(1);
        }
    }

    fn keep_space(&mut self) {
        while matches!(self.peek(), Some(byte) if byte.is_ascii_whitespace()) {
            self.keep(1);
        }
    }

    fn peek(&mut self) -> Option<u8> {
        if self.has_more() { Some(self.chunk[self.at]) } else { None }
    }

    fn has_more(&mut self) -> bool {
        self.at < self.len || self.fill()
    }

    /// Adds the next bytes of the chunk to the frame.
    fn keep(&mut self, n_bytes: usize) {
        let room = self.room_for(n_bytes);
        self.buffer.extend_from_slice(&self.chunk[self.at..self.at + room]);
        self.total += n_bytes as u64;
        self.advance(n_bytes);
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.room_for(bytes.len());
        self.buffer.extend_from_slice(&bytes[..room]);
        self.total += bytes.len() as u64;
    }

    fn room_for(&mut self, n_bytes: usize) -> usize {
        if self.total + n_bytes as u64 <= MAX_FRAME_BYTES as u64 {
            return n_bytes;
        }
        self.buffer.truncate(KEPT_OF_LONG_BYTES);
        self.buffer.shrink_to(KEPT_OF_LONG_BYTES);
        n_bytes.min(KEPT_OF_LONG_BYTES - self.buffer.len())
    }

    fn advance(&mut self, n_bytes: usize) {
        let passed = &self.chunk[self.at..self.at + n_bytes];
        self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at += n_bytes;
        self.offset += n_bytes as u64;
    }

    /// Reads until the chunk is full or the object ends; `false` when nothing more came.
    fn fill(&mut self) -> bool {
        (self.at, self.len) = (0, 0);
        while !self.ended && self.len < self.chunk.len() {
            match self.input.read(&mut self.chunk[self.len..]) {
                Ok(0) => self.ended = true,
                Ok(n_bytes) => self.len += n_bytes,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failure = Some(format!("the rest of the file cannot be read: {e}"));
                    self.ended = true;
                }
            }
        }
        self.len > 0
    }
}
