//! The fakes pass the suites of the ports they stand for.

use async_trait::async_trait;
use mantissa_contracts::messages::FailureKind;
use mantissa_ports::conformance::query_engine::{BROKEN, EVENT_IDS, EVENTS, ONE_EVENT_ID, SLOW};
use mantissa_ports::conformance::{
    ArrivedMail, EngineFixture, LakeRow, MailerFixture, MemoryFixture, ObjectStorageFixture, RawObjectFixture,
    SecretStoreFixture, lake_rows,
};
use mantissa_ports::memory::{
    Answer, MemoryMailer, MemoryObjectStorage, MemoryQueryEngine, MemoryRawObjects, MemorySecretStore, TestClock,
};
use mantissa_ports::{Column, Mailer, ObjectStorage, QueryEngine, RawObjectSource, SecretStore, SystemClock};
use std::sync::Arc;

mantissa_ports::store_and_queue_conformance!(MemoryFixture::new());

struct Objects(Arc<MemoryObjectStorage>);

impl ObjectStorageFixture for Objects {
    fn open(&self) -> Arc<dyn ObjectStorage> {
        self.0.clone()
    }
}

mod object_storage {
    use super::*;

    mantissa_ports::object_storage_conformance!(Objects(Arc::new(MemoryObjectStorage::new(Arc::new(
        TestClock::default()
    )))));
}

struct Engine(Arc<MemoryQueryEngine>);

impl EngineFixture for Engine {
    fn engine(&self) -> Arc<dyn QueryEngine> {
        self.0.clone()
    }
}

/// What the statements of the suite come to.
fn answer(sql: &str) -> Answer {
    let rows = |names: &[&str], row: fn(&LakeRow) -> Vec<Option<String>>, n_rows: usize| Answer::Rows {
        columns: names
            .iter()
            .map(|name| Column { name: (*name).to_owned(), data_type: "varchar".to_owned() })
            .collect(),
        rows: lake_rows().iter().take(n_rows).map(row).collect(),
        scanned_bytes: 0,
    };
    let event_id = |row: &LakeRow| vec![Some(row.event_id.clone())];
    match sql {
        SLOW => Answer::RunsOn,
        BROKEN => Answer::Fails { kind: FailureKind::Permanent, reason: "expected a column".to_owned() },
        EVENT_IDS => rows(&["event_id"], event_id, usize::MAX),
        ONE_EVENT_ID => rows(&["event_id"], event_id, 1),
        EVENTS => rows(&["event_id", "raw"], |row| vec![Some(row.event_id.clone()), Some(row.raw.clone())], usize::MAX),
        other => Answer::Fails {
            kind: FailureKind::Permanent,
            reason: format!("the fake was not told what `{other}` comes to"),
        },
    }
}

mod query_engine {
    use super::*;

    mantissa_ports::query_life_conformance!(Engine(Arc::new(MemoryQueryEngine::new(answer))));
}

struct RawObjects(Arc<MemoryRawObjects>);

impl RawObjectFixture for RawObjects {
    fn source(&self) -> Arc<dyn RawObjectSource> {
        self.0.clone()
    }

    fn root(&self) -> String {
        "bucket".to_owned()
    }

    fn put(&self, name: &str, content: &[u8]) {
        self.0.put(&format!("bucket/{name}"), content);
    }
}

mod raw_objects {
    use super::*;

    mantissa_ports::raw_object_conformance!(RawObjects(Arc::default()));
}

struct Secrets(Arc<MemorySecretStore>);

impl SecretStoreFixture for Secrets {
    fn open(&self) -> Arc<dyn SecretStore> {
        self.0.clone()
    }

    fn stored_bytes(&self) -> Option<Vec<u8>> {
        None
    }

    fn outlives_its_process(&self) -> bool {
        false
    }
}

mod secret_store {
    use super::*;

    mantissa_ports::secret_store_conformance!(Secrets(Arc::new(MemorySecretStore::new())));
}

mod system_clock {
    use super::*;

    mantissa_ports::clock_conformance!(SystemClock);
}

mod test_clock {
    use super::*;

    mantissa_ports::clock_conformance!(TestClock::default());
}

struct Mails(Arc<MemoryMailer>);

#[async_trait]
impl MailerFixture for Mails {
    fn mailer(&self) -> Arc<dyn Mailer> {
        self.0.clone()
    }

    fn sender(&self) -> String {
        "Mantissa Log <alerts@example.com>".to_owned()
    }

    fn stranger(&self) -> String {
        STRANGER.to_owned()
    }

    async fn arrived(&self) -> Vec<ArrivedMail> {
        let arrived = self.0.sent().into_iter().map(|mail| ArrivedMail {
            to: mail.to,
            subject: mail.subject,
            text: Some(mail.text),
            html: Some(mail.html),
            headers: None,
        });
        arrived.collect()
    }
}

const STRANGER: &str = "nobody@elsewhere.example";

mod mailer {
    use super::*;

    mantissa_ports::mailer_conformance!(Mails(Arc::new(MemoryMailer::refusing(STRANGER))));
}
