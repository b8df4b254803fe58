//! The seal: no judged window ever gets a record later, and no record is lost when a worker dies or is overtaken.

use super::*;
use mantissa_contracts::time::Instant;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const TABLE: &str = "cloudtrail_logs";

/// Storage in which something happens before a put, and which fails puts when told.
struct Interrupted {
    inner: Arc<dyn ObjectStorage>,
    puts: AtomicU32,
    before_first_put: Box<dyn Fn() -> futures::future::BoxFuture<'static, ()> + Send + Sync>,
    fail_after_first_put: bool,
}

#[async_trait]
impl ObjectStorage for Interrupted {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), PortError> {
        let n_puts = self.puts.fetch_add(1, Ordering::SeqCst);
        if n_puts == 0 {
            (self.before_first_put)().await;
        }
        self.inner.put(key, content).await?;
        if n_puts == 0 && self.fail_after_first_put {
            return Err(PortError::transient("put object", key, "the disk is full"));
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PortError> {
        self.inner.get(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<mantissa_ports::StoredObject>, PortError> {
        self.inner.list(prefix).await
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        self.inner.delete(key).await
    }
}

fn interrupt(
    stage: &mut Stage,
    fail_after_first_put: bool,
    before_first_put: impl Fn() -> futures::future::BoxFuture<'static, ()> + Send + Sync + 'static,
) {
    stage.deps.lake = Arc::new(Interrupted {
        inner: stage.deps.lake.clone(),
        puts: AtomicU32::new(0),
        before_first_put: Box::new(before_first_put),
        fail_after_first_put,
    });
}

fn stamps(rows: &[(String, i64)]) -> Vec<Instant> {
    rows.iter().map(|(_, stamp)| Instant::from_timestamp_millis(*stamp).unwrap()).collect()
}

#[tokio::test]
async fn stamp_is_not_before_the_seal_when_the_clock_is_behind_it() {
    let stage = Stage::new();
    let sealed = stage.clock.now() + Duration::from_secs(60);
    stage.deps.ingests.seal(TABLE, sealed, sealed).await.unwrap();
    stage.objects.put("a", lines(1..=3));
    stage.ingest("a").await;
    assert_eq!(stamps(&stage.lake_rows().await), [sealed; 3]);
}

#[tokio::test]
async fn part_whose_stamp_lapsed_while_it_was_written_is_stamped_again() {
    let mut stage = Stage::new();
    let (ingests, clock) = (stage.deps.ingests.clone(), stage.clock.clone());
    let started = stage.clock.now();
    interrupt(&mut stage, false, move || {
        let (ingests, clock) = (ingests.clone(), clock.clone());
        Box::pin(async move {
            // Writing takes an hour; the scheduler stops waiting for it and seals.
            clock.advance(Duration::from_secs(3600));
            ingests.seal(TABLE, clock.now(), clock.now()).await.unwrap();
        })
    });
    stage.objects.put("a", lines(1..=3));
    stage.ingest("a").await;
    let rows = stage.lake_rows().await;
    assert_eq!(rows.len(), 3, "the first try's file is gone");
    assert_eq!(stamps(&rows), [started + Duration::from_secs(3600); 3]);
}

#[tokio::test]
async fn try_that_died_before_completing_is_replaced_without_doubles() {
    let mut stage = Stage::new();
    interrupt(&mut stage, true, || Box::pin(async {}));
    stage.objects.put("a", lines(1..=3));
    let error = ingest_object(&stage.deps, &stage.received("a"), &|_| ()).await.unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(stage.lake_rows().await.len(), 3, "the first try left its file");
    stage.clock.advance(Duration::from_secs(5));
    let report = stage.ingest("a").await;
    assert_eq!((report.duplicate, report.n_records), (false, 3));
    assert_eq!(stamps(&stage.lake_rows().await), [stage.clock.now(); 3]);
}

#[tokio::test]
async fn overtaken_worker_cannot_replace_what_its_successor_committed() {
    let mut stage = Stage::new();
    let lake = stage.deps.lake.clone();
    let successor = Stage { deps: stage.deps.clone(), objects: stage.objects.clone(), clock: stage.clock.clone() };
    let successor = Arc::new(successor);
    interrupt(&mut stage, false, move || {
        let successor = successor.clone();
        Box::pin(async move {
            successor.clock.advance(Duration::from_secs(1000));
            let later = successor.clock.now();
            successor.ingest("a").await;
            // The successor's window is judged; nothing may appear in an earlier one.
            successor.deps.ingests.seal(TABLE, later, later).await.unwrap();
        })
    });
    stage.objects.put("a", lines(1..=3));
    let report = stage.ingest("a").await;
    assert_eq!(report.n_records, 3);
    let rows = stage.lake_rows().await;
    assert_eq!(stamps(&rows), [stage.clock.now(); 3]);
    assert_eq!(lake.list("").await.unwrap().len(), 1);
}
