// SPDX-License-Identifier: Apache-2.0
//! Operations on parcels inside a process, beside two yardsticks of the machine: allocating, touching and freeing 64
//! bytes, and copying 200 KiB.

use std::ffi::{c_char, c_void};
use std::hint::black_box;
use std::ptr::null_mut;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Setting;
use crate::library::{PARCEL_BYTES, Parcel, SUCCESS, functions};
use crate::measure::{mean_processor_time, median, median_ratio};
use crate::report::{Report, Target};

const NUMBERS: i32 = 16;
const FILLED: i32 = (PARCEL_BYTES / 4) as i32;
/// How much faster than a device's library, relative to the yardstick.
const FASTER: f64 = 1.5;
const COPIES: f64 = 1.05;

/// Nanoseconds of allocating where the device's library was measured.
const ALLOCATION_THERE: f64 = 5.2;

struct Operation {
    name: &'static str,
    /// Nanoseconds of a device's library, parcel made and destroyed; `None` where the copy is nearly all.
    device: Option<f64>,
    run: fn() -> Result<()>,
}

const OPERATIONS: [Operation; 7] = [
    Operation { name: "create and destroy a parcel", device: Some(34.0), run: create },
    Operation { name: "16 × WriteInt32, 16 × ReadInt32", device: Some(203.0), run: numbers },
    Operation { name: "WriteString, ReadString, 32 B", device: Some(52.0), run: text },
    Operation { name: "WriteBuffer, ReadBuffer, 4 KiB", device: Some(79.0), run: small_buffer },
    Operation { name: "WriteBuffer, ReadBuffer, 200 KiB", device: None, run: large_buffer },
    Operation { name: "interface token, 22 B", device: Some(336.0), run: token },
    Operation { name: "51200 × WriteInt32", device: Some(225_000.0), run: fill },
];

static BYTES: [u8; PARCEL_BYTES] = [7; PARCEL_BYTES];

fn create() -> Result<()> {
    black_box(Parcel::new());
    Ok(())
}

fn numbers() -> Result<()> {
    let parcel = Parcel::new();
    for number in 0..NUMBERS {
        parcel.write_int32(number);
    }
    let mut sum = 0;
    for _ in 0..NUMBERS {
        let mut value = 0;
        // SAFETY: the parcel is valid, and there is room for the number.
        unsafe { (functions().read_int32)(parcel.as_ptr(), &raw mut value) };
        sum += value;
    }
    ensure!(sum == NUMBERS * (NUMBERS - 1) / 2, "other numbers were read than written");
    Ok(())
}

fn text() -> Result<()> {
    let text = c"0123456789abcdef0123456789abcdef";
    let parcel = Parcel::new();
    // SAFETY: the parcel is valid, the text ends with NUL, and what is read does too.
    unsafe {
        (functions().write_string)(parcel.as_ptr(), text.as_ptr());
        let read = (functions().read_string)(parcel.as_ptr());
        ensure!(!read.is_null() && *read.add(3) == b'3' as c_char, "another text was read than written");
    }
    Ok(())
}

fn buffer(size: usize) -> Result<()> {
    let parcel = Parcel::new();
    ensure!(parcel.write_buffer(&BYTES[..size]) == SUCCESS, "WriteBuffer failed");
    ensure!(parcel.bytes()[size - 1] == 7, "other bytes were read than written");
    Ok(())
}

fn small_buffer() -> Result<()> {
    buffer(4096)
}

fn large_buffer() -> Result<()> {
    buffer(PARCEL_BYTES)
}

extern "C" fn allocate(length: i32) -> *mut c_void {
    // SAFETY: takes a number.
    unsafe { libc::malloc(length as usize) }
}

fn token() -> Result<()> {
    let parcel = Parcel::new();
    let (mut read, mut length) = (null_mut(), 0);
    // SAFETY: the parcel is valid, the token ends with NUL, there is room for pointer and length; what was read came
    // from malloc.
    unsafe {
        (functions().write_token)(parcel.as_ptr(), c"OHOS.IPC.TestInterface".as_ptr());
        let result = (functions().read_token)(parcel.as_ptr(), &raw mut read, &raw mut length, allocate);
        ensure!(result == SUCCESS, "ReadInterfaceToken returned {result}");
        libc::free(read.cast());
    }
    Ok(())
}

fn fill() -> Result<()> {
    let parcel = Parcel::new();
    for number in 0..FILLED {
        ensure!(parcel.write_int32(number) == SUCCESS, "number {number} could not be written");
    }
    Ok(())
}

fn allocation() -> Result<()> {
    // SAFETY: the memory is ours until it is freed.
    unsafe {
        let memory = libc::malloc(64).cast::<u8>();
        memory.write_volatile(1);
        libc::free(memory.cast());
    }
    Ok(())
}

pub fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let budget = setting.plan.budget.min(Duration::from_millis(20));
    let mut room = vec![0u8; PARCEL_BYTES];
    let mut copy = || {
        black_box(room.as_mut_slice()).copy_from_slice(black_box(&BYTES));
        black_box(&room);
        Ok(())
    };
    let mut times = vec![Vec::new(); OPERATIONS.len()];
    let (mut allocations, mut copies) = (Vec::new(), Vec::new());
    for _ in 0..setting.plan.rounds {
        allocations.push(mean_processor_time(budget, allocation)?);
        copies.push(mean_processor_time(budget, &mut copy)?);
        for (operation, times) in OPERATIONS.iter().zip(&mut times) {
            times.push(mean_processor_time(budget, operation.run)?);
        }
    }
    for (operation, times) in OPERATIONS.iter().zip(&times) {
        let name = operation.name;
        match operation.device {
            Some(device) => {
                let here = median_ratio(times, &allocations);
                let detail = format!("{:.0} ns; malloc and free of 64 B {:.1} ns", median(times), median(&allocations));
                let faster = device / ALLOCATION_THERE / here;
                report.add("parcels", name, Target::AtLeast(FASTER), faster, "× device", detail);
            }
            None => {
                let detail = format!("{:.0} ns; memcpy of 200 KiB {:.0} ns", median(times), median(&copies));
                report.add("parcels", name, Target::AtMost(COPIES), median_ratio(times, &copies), "memcpys", detail);
            }
        }
        report.keep_rounds(operation.name, times);
    }
    report.keep_rounds("malloc and free", &allocations);
    report.keep_rounds("memcpy of 200 KiB", &copies);
    Ok(())
}
