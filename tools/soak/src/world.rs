// SPDX-License-Identifier: Apache-2.0
//! What a peer knows: itself, the others, and what it has been told of their deaths.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::library::{INNER_ERROR, Proxy, Recipient, SUCCESS, Stub, Told};
use crate::shared::{Board, SLOTS, now};

/// A peer as the others mean it: its place, and which of those that had this place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) slot: usize,
    pub(crate) incarnation: u64,
}

/// Another peer.
pub(crate) struct Partner {
    pub(crate) who: Who,
    pub(crate) proxy: Proxy,
    /// Held while a numbered message is sent.
    pub(crate) posting: Mutex<()>,
    /// It goes with the partner, and not before.
    _recipient: Recipient,
    told: Arc<Told>,
    entries: u64,
}

/// So many entries are to be made for each partner.
const ENTRIES: u64 = 2;

/// A recipient that is given up, and how often it is to have been told then.
pub(crate) struct Watch {
    pub(crate) told: Arc<Told>,
    pub(crate) times: u64,
    pub(crate) what: String,
}

pub(crate) struct World {
    pub(crate) me: Who,
    pub(crate) board: &'static Board,
    /// The stub that others call.
    pub(crate) root: Stub,
    partners: RwLock<[Option<Arc<Partner>>; SLOTS]>,
    /// The number of the next message, by its sender's incarnation.
    next: Mutex<HashMap<u64, u64>>,
    watches: Mutex<Vec<Watch>>,
    failures: AtomicU64,
}

static WORLD: OnceLock<World> = OnceLock::new();

pub(crate) fn create(me: Who, board: &'static Board, root: Stub) {
    let (partners, next, watches) = (RwLock::default(), Mutex::default(), Mutex::default());
    WORLD.get_or_init(|| World { me, board, root, partners, next, watches, failures: AtomicU64::new(0) });
}

pub(crate) fn world() -> &'static World {
    WORLD.get().expect("create() comes first")
}

/// Says that something is not as it has to be.
pub(crate) fn fail(what: &str) {
    let world = world();
    world.board.failures.fetch_add(1, Ordering::SeqCst);
    // The first few tell the story.
    if world.failures.fetch_add(1, Ordering::SeqCst) < 20 {
        let died = world.died_at(world.me).map_or("", |_| " (which has been killed or has crashed itself)");
        eprintln!("FAILURE at {} of {:?}{died}: {what}", now() / 1_000_000, world.me);
    }
}

/// How long what has to come may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits, bounded, for something.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    true
}

impl World {
    pub(crate) fn partner(&self, slot: usize) -> Option<Arc<Partner>> {
        self.partners.read().unwrap_or_else(PoisonError::into_inner)[slot].clone()
    }

    pub(crate) fn partners(&self) -> Vec<Arc<Partner>> {
        self.partners.read().unwrap_or_else(PoisonError::into_inner).iter().flatten().cloned().collect()
    }

    /// Knows another peer from now on, and asks to be told of its death.
    pub(crate) fn meet(&self, who: Who, proxy: Proxy) {
        let told = Arc::<Told>::default();
        let recipient = Recipient::new(&told);
        let mut entries = 0;
        for _ in 0..ENTRIES {
            match proxy.add_recipient(&recipient) {
                SUCCESS => entries += 1,
                // It is dead, and that has been told already.
                INNER_ERROR if entries > 0 && self.died_at(who).is_some() => {}
                other => fail(&format!("AddDeathRecipient for {who:?}: {other}")),
            }
        }
        let partner = Arc::new(Partner { who, proxy, posting: Mutex::default(), _recipient: recipient, told, entries });
        let before = self.partners.write().unwrap_or_else(PoisonError::into_inner)[who.slot].replace(partner);
        if let Some(before) = before {
            fail(&format!("{who:?} has come before {:?} was gone", before.who));
        }
    }

    /// A peer is dead: each entry is to have been told once.
    pub(crate) fn part(&self, who: Who) {
        let mut partners = self.partners.write().unwrap_or_else(PoisonError::into_inner);
        let partner = partners[who.slot].take_if(|partner| partner.who == who);
        drop(partners);
        let Some(partner) = partner else { return };
        if !wait_until(|| partner.told.times.load(Ordering::SeqCst) >= partner.entries) {
            let times = partner.told.times.load(Ordering::SeqCst);
            fail(&format!("of the death of {who:?}, {times} of {} entries were told", partner.entries));
        }
        if !partner.proxy.is_dead() {
            fail(&format!("{who:?} is dead, and IsRemoteDead says that it is not"));
        }
        // Operations that were under way with it return.
        if !wait_until(|| Arc::strong_count(&partner) == 1) {
            fail(&format!("an operation with {who:?}, which is dead, does not end"));
        }
        let what = format!("partner {who:?}");
        self.watch(Watch { told: Arc::clone(&partner.told), times: partner.entries, what });
    }

    /// To be looked at when everything is quiet.
    pub(crate) fn watch(&self, watch: Watch) {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(watch);
    }

    /// All recipients that were given up are gone, and were told as often as they have to be.
    pub(crate) fn check_watches(&self) {
        for Watch { told, times, what } in
            std::mem::take(&mut *self.watches.lock().unwrap_or_else(PoisonError::into_inner))
        {
            let counts = || (told.times.load(Ordering::SeqCst), told.ended.load(Ordering::SeqCst));
            if !wait_until(|| counts() == (times, 1)) {
                let (told, ended) = counts();
                fail(&format!("recipient of {what}: told {told} times, not {times}; ended {ended} times"));
            }
        }
    }

    /// Whether a peer is dead, or about to die, as the driver says.
    pub(crate) fn died_at(&self, who: Who) -> Option<u64> {
        let slot = &self.board.slots[who.slot];
        let died_at = slot.died_at.load(Ordering::SeqCst);
        if slot.incarnation.load(Ordering::SeqCst) != who.incarnation {
            return Some(0);
        }
        (died_at != 0).then_some(died_at)
    }

    /// A numbered message is being handled.
    pub(crate) fn note(&self, from: Who, number: u64) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = next.entry(from.incarnation).or_insert(0);
        if number != *expected {
            fail(&format!("message {number} of {from:?} is handled, and {expected} was to be next"));
        }
        *expected = number + 1;
        self.board.pair(from.slot, self.me.slot).note_handled(from.incarnation, number + 1);
    }
}
