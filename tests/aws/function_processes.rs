//! The functions that run now: processes that the emulator started.

use crate::emulator::Emulator;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Each with its name.
pub(crate) fn functions_of(emulator_pid: u32) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent: u32 = stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()?;
        if parent != emulator_pid {
            return None;
        }
        let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).ok()?;
        let name = environment.split('\0').find_map(|variable| variable.strip_prefix("MANTISSA_FUNCTION="))?;
        Some((pid, name.to_owned()))
    });
    processes.collect()
}

/// Looks again and again how much memory the functions have taken.
pub(crate) struct MemoryWatch {
    /// Kilobytes, by function.
    peaks: Arc<Mutex<BTreeMap<String, u64>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    const EVERY: Duration = Duration::from_millis(20);

    pub(crate) fn start(emulator: &Emulator) -> Self {
        let (peaks, over) = (Arc::<Mutex<BTreeMap<String, u64>>>::default(), Arc::<AtomicBool>::default());
        let (found, is_over, emulator_pid) = (peaks.clone(), over.clone(), emulator.pid());
        let thread = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                for (pid, name) in functions_of(emulator_pid) {
                    if let Some(peak) = peak_of(pid) {
                        let mut found = found.lock().unwrap();
                        let known = found.entry(name).or_default();
                        *known = peak.max(*known);
                    }
                }
                std::thread::sleep(Self::EVERY);
            }
        });
        Self { peaks, over, thread: Some(thread) }
    }

    pub(crate) fn peaks_kb(&self) -> BTreeMap<String, u64> {
        self.peaks.lock().unwrap().clone()
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // It panics where /proc is not there, and said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Linux keeps a process's highest resident memory, in kilobytes. A process that has ended has none.
fn peak_of(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.split_whitespace().next()?.parse().ok()
}
