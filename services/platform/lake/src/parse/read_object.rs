//! One object, from its bytes to parts.

use super::application::ApplicationParser;
use super::detect_source::{detect_layout, detect_source};
use super::frame::{Frame, Framer, Place};
use super::open_object::open_object;
use super::part::{Part, PartBuilder, PartLimits};
use super::vpc_flow::VpcFlowParser;
use super::{cloudtrail, guardduty, vpc_flow_parquet};
use crate::catalogue::{LogSource, catalogue};
use crate::error::LakeError;
use mantissa_contracts::ids::ObjectId;
use mantissa_contracts::time::Instant;
use std::collections::BTreeSet;
use std::io::Read;

/// What is known of an object before it is read.
#[derive(Debug, Clone)]
pub struct ObjectContext {
    /// A digest of its bytes: identities of records without one are derived from it.
    pub object_id: ObjectId,
    pub location: String,
    pub received_at: Instant,
    /// `None` tells it from the content, and where that says nothing, from the location.
    pub source: Option<LogSource>,
    /// Reads only the pieces that begin at these offsets of the decompressed object: what was quarantined.
    pub only_offsets: Option<BTreeSet<u64>>,
}

/// What was found in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadSummary {
    pub log_source: LogSource,
    /// Decompressed.
    pub raw_bytes: u64,
    pub n_parts: u32,
}

/// Reads an object to its end and hands out its records in parts. The same bytes always give the same parts.
/// The sink's error stops the reading and is returned.
pub fn read_object<E: From<LakeError>>(
    input: Box<dyn Read + Send + '_>,
    object: &ObjectContext,
    limits: PartLimits,
    sink: &mut dyn FnMut(Part) -> Result<(), E>,
) -> Result<ReadSummary, E> {
    let mut framer = Framer::new(open_object(input));
    let log_source = object.source.unwrap_or_else(|| detect_source(framer.sample(), &object.location));
    let mut n_parts = 0;
    // The catalogue has a table for every source (a test says so).
    let Some(table) = catalogue().table_of(log_source) else {
        return Ok(ReadSummary { log_source, raw_bytes: 0, n_parts });
    };
    let mut part = PartBuilder::new(object, table, limits);
    if vpc_flow_parquet::is_parquet(framer.sample()) {
        vpc_flow_parquet::read(&mut framer, &mut part, &mut |part| {
            n_parts += 1;
            sink(part)
        })?;
    } else {
        let layout = detect_layout(framer.sample(), log_source);
        let mut parser = Parser::new(log_source);
        loop {
            match framer.next(layout) {
                None => break,
                Some(frame) if is_wanted(object, frame.place) => parser.parse(&frame, &mut part),
                Some(frame) => parser.skip(&frame, &part),
            }
            if part.is_full() {
                n_parts += 1;
                sink(part.finish(framer.bytes_read())?)?;
            }
        }
    }
    let raw_bytes = framer.bytes_read();
    if !part.is_empty() {
        n_parts += 1;
        sink(part.finish(raw_bytes)?)?;
    }
    Ok(ReadSummary { log_source, raw_bytes, n_parts })
}

fn is_wanted(object: &ObjectContext, place: Place) -> bool {
    object.only_offsets.as_ref().is_none_or(|offsets| offsets.contains(&place.offset))
}

enum Parser {
    CloudTrail,
    GuardDuty,
    VpcFlow(VpcFlowParser),
    Application(ApplicationParser),
}

impl Parser {
    fn new(log_source: LogSource) -> Self {
        match log_source {
            LogSource::CloudTrail => Self::CloudTrail,
            LogSource::GuardDuty => Self::GuardDuty,
            LogSource::VpcFlow => Self::VpcFlow(VpcFlowParser::default()),
            LogSource::Application => Self::Application(ApplicationParser::default()),
        }
    }

    /// Learns from a frame that is not read again how the next ones are to be read.
    fn skip(&mut self, frame: &Frame<'_>, part: &PartBuilder<'_>) {
        if let (Self::VpcFlow(parser), Ok(text)) = (self, std::str::from_utf8(frame.bytes)) {
            parser.read_header(text, part);
        }
    }

    fn parse(&mut self, frame: &Frame<'_>, part: &mut PartBuilder<'_>) {
        if let Some(fault) = &frame.fault {
            return part.quarantine(frame.bytes, frame.total_bytes, frame.place, fault.clone());
        }
        let text = match std::str::from_utf8(frame.bytes) {
            Ok(text) => text,
            Err(e) => {
                let reason = format!("not valid UTF-8 at byte {} of the record", e.valid_up_to());
                return part.quarantine(frame.bytes, frame.total_bytes, frame.place, reason);
            }
        };
        let parsed = match self {
            Self::CloudTrail => cloudtrail::parse(text, frame.place, part),
            Self::GuardDuty => guardduty::parse(text, frame.place, part),
            Self::VpcFlow(parser) => parser.parse(text, frame.place, part),
            Self::Application(parser) => parser.parse(text, frame.place, part),
        };
        if let Err(reason) = parsed {
            part.quarantine(frame.bytes, frame.total_bytes, frame.place, reason);
        }
    }
}
