//! What holds for any registers and any memory.

use super::*;
use crate::abi::flags::named;
use proptest::prelude::*;

/// Any ABI's any call, or now and then anything at all.
fn calls() -> impl Strategy<Value = (u32, u64)> {
    let known: Vec<(u32, u64)> = ABIS
        .iter()
        .flat_map(|abi| {
            [abi.clone, abi.clone2, abi.clone3, abi.fork, abi.vfork]
                .into_iter()
                .flatten()
                .map(|nr| (abi.audit_arch, nr))
        })
        .collect();
    prop_oneof![
        9 => prop::sample::select(known),
        1 => any::<(u32, u64)>(),
    ]
}

/// Registers that often point into the memory below, or are sizes of a block.
fn registers() -> impl Strategy<Value = [u64; 6]> {
    prop::array::uniform6(prop_oneof![
        any::<u64>(),
        0x1000..0x1100_u64,
        0..5000_u64,
        Just(u64::MAX),
        Just(88),
    ])
}

fn bits(names: &[String]) -> u64 {
    names
        .iter()
        .map(|name| named(name).expect("a name from the table").bits)
        .fold(0, |all, bit| all | bit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_panics_and_no_bit_is_lost(
        (arch, nr) in calls(),
        args in registers(),
        memory in prop::collection::vec(any::<u8>(), 0..400),
        at in 0x0fc0..0x1080_u64,
        gone in prop::option::weighted(0.1, 1..200_i32),
    ) {
        let mut task = Recorded::new().with(at, memory);
        task.fails = gone.map(Errno);
        let call = Syscall { arch, nr, args, ip: 0, sp: 0 };
        let Some(got) = decode(&task, &call) else { return Ok(()) };
        let _ = wrote(&task, &got);
        let request = &got.request;
        let taken = bits(&request.flags);
        let ignored = bits(&request.flags_ignored);
        let unknown = request.flags_unknown.map_or(0, |bits| bits.0);
        let raw = request.flags_raw.map_or(0, |bits| bits.0);
        prop_assert_eq!(taken | ignored | unknown, raw);
        prop_assert_eq!(taken & ignored | taken & unknown | ignored & unknown, 0);
        // Whatever was read is whole, and what was not read is not made up.
        prop_assert_eq!(request.flags_raw.is_some(), request.exit_signal_raw.is_some());
        if request.call != Call::Clone3 {
            prop_assert!(request.flags_raw.is_some());
            prop_assert_eq!(&request.args_error, &None);
        }
        if gone.is_some() && request.call == Call::Clone3 {
            prop_assert_eq!(request.flags_raw, None);
        }
        if let Some(block) = &got.block {
            prop_assert_eq!(request.args.size, u64::try_from(block.len()).ok());
        }
        // The line of the trace is the same after a round trip.
        let json = serde_json::to_string(request).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Request>(&json).unwrap(), request);
    }
}
