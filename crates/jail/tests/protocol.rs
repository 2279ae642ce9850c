//! Whatever comes over the sockets, the parsers name what is wrong with it, and take no more memory than they said.

use std::{
    io::Write as _,
    os::{fd::AsFd as _, unix::net::UnixStream},
};

use jail::{
    Lack, Layer, Limits, MissingLayers, Report, frame,
    wire::{Code, MOST_AHEAD, MOST_BYTES, Said, Start},
};
use proptest::prelude::*;

fn starts() -> impl Strategy<Value = Start> {
    (
        1..=MOST_AHEAD,
        any::<bool>(),
        any::<bool>(),
        any::<[u64; 5]>(),
        prop::option::of(1..u64::MAX),
    )
        .prop_map(
            |(
                ahead,
                children,
                allowed,
                [
                    descriptors,
                    processes,
                    memory_bytes,
                    address_space_bytes,
                    stack_bytes,
                ],
                cpu_seconds,
            )| {
                Start {
                    ahead,
                    code: if children {
                        Code::InChildren
                    } else {
                        Code::InServer
                    },
                    missing_layers: if allowed {
                        MissingLayers::Allowed
                    } else {
                        MissingLayers::Refused
                    },
                    limits: Limits {
                        descriptors,
                        processes,
                        memory_bytes,
                        address_space_bytes,
                        stack_bytes,
                        cpu_seconds,
                    },
                }
            },
        )
}

fn lacks() -> impl Strategy<Value = Vec<Lack>> {
    let lack = (prop::sample::select(&Layer::ALL[..]), "[a-z ]{0,100}")
        .prop_map(|(layer, reason)| Lack { layer, reason });
    prop::collection::vec(lack, 0..Layer::ALL.len())
}

fn sayings() -> impl Strategy<Value = Said> {
    prop_oneof![
        (lacks(), any::<u8>()).prop_map(|(missing, landlock_abi)| Said::Ready(Report {
            missing,
            landlock_abi
        })),
        lacks().prop_map(Said::Refused),
        "[a-z ]{0,100}".prop_map(Said::Unprepared),
        "[a-z ]{0,100}".prop_map(Said::NoChild),
        Just(Said::Child),
    ]
}

proptest! {
    #[test]
    fn a_start_is_understood(start in starts()) {
        let understood = Start::decode(&start.encode());

        prop_assert_eq!(understood, Ok(start));
    }

    #[test]
    fn what_a_server_says_is_understood_and_fits_a_message(said in sayings()) {
        let bytes = said.encode();

        prop_assert!(bytes.len() <= MOST_BYTES);
        prop_assert_eq!(Said::decode(&bytes), Ok(said));
    }

    #[test]
    fn random_bytes_are_refused_or_mean_one_thing(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..6_u8) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = kind;
        }

        let (start, said) = (Start::decode(&bytes), Said::decode(&bytes));

        prop_assert!(start.is_err() || start.unwrap().encode() == bytes);
        prop_assert!(said.is_err() || said.unwrap().encode().len() <= MOST_BYTES);
    }

    #[test]
    fn a_torn_message_is_refused(start in starts(), said in sayings(), cut in 1..50_usize) {
        let (start, said) = (start.encode(), said.encode());
        let cut_off = |bytes: &[u8]| bytes[..bytes.len().saturating_sub(cut)].to_vec();

        prop_assert!(Start::decode(&cut_off(&start)).is_err());
        prop_assert!(Said::decode(&cut_off(&said)).is_err());
    }

    #[test]
    fn frames_from_a_random_stream_keep_to_the_limit(
        bytes in prop::collection::vec(any::<u8>(), 0..6000),
        says in 0..8000_u32,
        honest in any::<bool>(),
        limit in 0..7000_usize,
    ) {
        let mut bytes = bytes;
        if let Some(header) = bytes.first_chunk_mut::<4>().filter(|_| honest) {
            *header = says.to_le_bytes();
        }
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(&bytes).unwrap();
        drop(theirs);

        let taken = frame::receive(ours.as_fd(), limit);

        match taken {
            Ok((body, descriptor)) => {
                prop_assert!(body.len() <= limit && descriptor.is_none());
                prop_assert_eq!(&body[..], &bytes[4..][..body.len()]);
            }
            Err(frame::Error::TooLong { bytes: said, .. }) => prop_assert!(said > limit),
            Err(frame::Error::Torn { got, wanted }) => prop_assert!(got < wanted && got <= bytes.len()),
            Err(frame::Error::Nothing) => prop_assert!(bytes.is_empty()),
            Err(frame::Error::Trailing { bytes: more }) => prop_assert!(more < bytes.len()),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
