// SPDX-License-Identifier: Apache-2.0
//! A process that holds proxies of a server, and does with them what it is asked to.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::library::{self, INNER_ERROR, Parcel, Proxy, SUCCESS};
use crate::measure::{mean_time, now};
use crate::processes::{Child, answer, orders, path_argument};
use crate::ways::{ECHO, GIVE_STUBS, MESSAGES_SEEN, REMEMBER_MESSAGE, START_OF_MESSAGES};

/// What one reply brings at most.
const OBJECTS_A_REPLY: usize = 1000;
const MESSAGE_BYTES: usize = 64;
/// How long the last asynchronous messages may take.
const PATIENCE: u64 = 10_000_000_000;

/// Starts a holder with one proxy of the server, which has made one call.
pub fn start(library: &Path, server: &mut Child) -> Result<Child> {
    let reference = server.ask("stub")?;
    let mut holder = Child::start("Holder", &[path_argument(library), reference], &[])?;
    holder.hear()?;
    Ok(holder)
}

/// The role. Its orders, each with a number: `more` proxies; mean ns of calls through `one` proxy, through `all` in
/// turn, and of `passing` an object, for so many ms; `calls`; `messages`, which is answered with ns, refusals, and how
/// many were lost or out of order.
pub fn serve(arguments: &[String]) -> Result<()> {
    let [path, reference] = arguments else { bail!("usage: LIBRARY REFERENCE") };
    library::load(Path::new(path))?;
    let proxy = Proxy::import(&library::from_hex(reference)?)?;
    let mut more: Vec<Proxy> = Vec::new();
    call(&proxy)?;
    answer("ready");
    let mut index = 0;
    for order in orders() {
        let (word, number) = order.split_once(' ').context("an order is a word and a number")?;
        let number: u64 = number.parse()?;
        let span = Duration::from_millis(number);
        match word {
            "more" => {
                fetch(&proxy, number as usize, &mut more)?;
                answer("done");
            }
            "one" => answer(mean_time(span, || call(&proxy))?),
            "all" => {
                // A stride that is no neighbour's, so that no order in memory helps.
                let count = more.len().max(1);
                let mut next = || {
                    index = (index + 7919) % count;
                    call(more.get(index).unwrap_or(&proxy))
                };
                answer(mean_time(span, &mut next)?);
            }
            "passing" => answer(mean_time(span, || pass_one(&proxy))?),
            "calls" => {
                (0..number).try_for_each(|_| call(&proxy))?;
                answer("done");
            }
            "messages" => answer(send_messages(&proxy, number)?),
            _ => bail!("unknown order {order:?}"),
        }
    }
    Ok(())
}

fn call(proxy: &Proxy) -> Result<()> {
    let request = [7; 16];
    let mut right = false;
    proxy.call(ECHO, &request, |reply| right = reply == request)?;
    ensure!(right, "something else came back than was sent");
    Ok(())
}

/// A request for objects; its reply.
fn request_objects(proxy: &Proxy, count: usize) -> Result<Parcel> {
    let (data, reply) = (Parcel::new(), Parcel::new());
    data.write_int32(count as i32);
    let result = proxy.send(GIVE_STUBS, &data, &reply);
    ensure!(result == SUCCESS, "a request for {count} objects returned {result}");
    Ok(reply)
}

fn fetch(proxy: &Proxy, count: usize, proxies: &mut Vec<Proxy>) -> Result<()> {
    proxies.reserve_exact(count);
    let mut missing = count;
    while missing > 0 {
        let some = missing.min(OBJECTS_A_REPLY);
        let reply = request_objects(proxy, some)?;
        for _ in 0..some {
            proxies.push(Proxy::read(&reply)?);
        }
        missing -= some;
    }
    Ok(())
}

fn pass_one(proxy: &Proxy) -> Result<()> {
    let reply = request_objects(proxy, 1)?;
    drop(Proxy::read(&reply)?);
    Ok(())
}

fn send_messages(proxy: &Proxy, count: u64) -> Result<String> {
    proxy.send(START_OF_MESSAGES, &Parcel::new(), &Parcel::new());
    let mut bytes = [7; MESSAGE_BYTES];
    bytes[8..16].copy_from_slice(&count.to_le_bytes());
    let mut refusals = 0u64;
    let start = now();
    for number in 0..count {
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        let data = Parcel::new();
        data.write_buffer(&bytes);
        loop {
            match proxy.send_async(REMEMBER_MESSAGE, &data) {
                SUCCESS => break,
                // The receiver's room is taken, and will be free again.
                INNER_ERROR => refusals += 1,
                other => bail!("an asynchronous request returned {other}"),
            }
            std::thread::yield_now();
        }
    }
    let sent = now();
    loop {
        let mut seen = [0u64; 3];
        proxy.call(MESSAGES_SEEN, &[0], |reply| {
            for (word, chunk) in seen.iter_mut().zip(reply.chunks_exact(8)) {
                *word = u64::from_le_bytes(chunk.try_into().expect("8 bytes"));
            }
        })?;
        let [arrived, out_of_order, end] = seen;
        if arrived >= count || now() - sent > PATIENCE {
            let time = end.saturating_sub(start);
            return Ok(format!("{time} {refusals} {} {out_of_order}", count.saturating_sub(arrived)));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
