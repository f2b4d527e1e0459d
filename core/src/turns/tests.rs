use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::*;

/// Three threads, each of which says its number three times.
fn sayings(seed: u64) -> (Order, Vec<u8>) {
    let (order, said) = take_turns(seed, None, || {
        let said = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..3)
            .map(|number| {
                let said = said.clone();
                let say = move || {
                    for _ in 0..3 {
                        give_way();
                        said.lock().push(number);
                    }
                };
                spawn(&format!("thread-{number}"), say).unwrap()
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let all = said.lock();
        all.clone()
    });
    (order, said.unwrap())
}

#[test]
fn a_seed_always_gives_the_same_order_and_seeds_give_many() {
    let mut found = BTreeSet::new();
    for seed in 0..100 {
        let (order, said) = sayings(seed);
        assert_eq!((order, said.clone()), sayings(seed), "seed {seed}");
        found.insert(said);
    }
    assert!(found.len() > 20, "{} orders", found.len());
}

#[test]
fn an_hour_is_over_at_once_when_nobody_can_go_on() {
    let begun = Instant::now();
    let (order, slept) = take_turns(7, None, || {
        let begun = now();
        let late = spawn("late", || sleep(Duration::from_secs(3_600))).unwrap();
        sleep(Duration::from_secs(60));
        assert!(!late.is_finished());
        late.join().unwrap();
        now() - begun
    });
    assert!(slept.unwrap() >= Duration::from_secs(3_600));
    assert!(order.elapsed < Duration::from_secs(3_700));
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn what_is_sent_comes_in_order_and_the_end_of_a_channel_is_noticed() {
    for seed in 0..50 {
        let (_, received) = take_turns(seed, None, || {
            let (sender, receiver) = bounded(2);
            let sending = spawn("sender", move || {
                (0..10).for_each(|number| sender.send(number).unwrap());
            });
            let received: Vec<u32> = receiver.each().collect();
            sending.unwrap().join().unwrap();
            let (sender, receiver) = bounded(1);
            drop(receiver);
            assert!(sender.send(0).is_err());
            received
        });
        assert_eq!(
            received.unwrap(),
            (0..10).collect::<Vec<_>>(),
            "seed {seed}"
        );
    }
}

#[test]
fn a_wait_ends_when_it_is_woken_and_otherwise_when_its_time_is_over() {
    for seed in 0..50 {
        let (_, came) = take_turns(seed, None, || {
            let shared = Arc::new((Mutex::new(false), Condvar::new()));
            let waiting = spawn("waiting", {
                let shared = shared.clone();
                move || {
                    let mut is_set = shared.0.lock();
                    shared.1.wait_while(&mut is_set, |is_set| !*is_set);
                }
            });
            give_way();
            *shared.0.lock() = true;
            shared.1.notify_all();
            waiting.unwrap().join().unwrap();
            let mut is_set = shared.0.lock();
            let until = now() + Duration::from_secs(5);
            let waited = shared.1.wait_until(&mut is_set, until);
            (waited.timed_out(), now() >= until)
        });
        assert_eq!(came.unwrap(), (true, true), "seed {seed}");
    }
}

#[test]
fn a_mutex_may_be_held_while_others_have_their_turns() {
    for seed in 0..50 {
        let (_, sum) = take_turns(seed, None, || {
            let sum = Arc::new(Mutex::new(0));
            let threads: Vec<_> = (0..3)
                .map(|number| {
                    let sum = sum.clone();
                    let add = move || {
                        let mut sum = lock(&sum);
                        let before = *sum;
                        sleep(Duration::from_millis(5));
                        *sum = before + 1;
                    };
                    spawn(&format!("adder-{number}"), add).unwrap()
                })
                .collect();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            let added = sum.lock();
            *added
        });
        assert_eq!(sum.unwrap(), 3, "seed {seed}");
    }
}

#[test]
fn threads_that_wait_for_ever_are_named_and_panics_are_told() {
    let (_, stuck) = take_turns(1, None, || {
        let (_sender, receiver) = bounded::<()>(1);
        let waiting = spawn("waiting", move || receiver.recv().is_ok());
        waiting.unwrap().join().unwrap()
    });
    match stuck {
        Err(Fault::Stuck(threads)) => assert_eq!(threads, ["story", "waiting"]),
        other => panic!("{other:?}"),
    }
    let (order, came) = take_turns(1, None, || {
        let ends = spawn("ends", || -> () { panic!("on purpose") });
        ends.unwrap().join().is_err()
    });
    assert!(came.unwrap());
    assert_eq!(order.panicked, ["ends"]);
    let (_, came) = take_turns(1, None, || -> () { panic!("on purpose") });
    assert_eq!(came.unwrap_err().to_string(), "a panic: on purpose");
}

#[test]
fn slips_show_in_some_orders_only() {
    for slip in [Slip::WaitsLate, Slip::WakesOne] {
        let went = |seed, slip| {
            let (_, came) = take_turns(seed, slip, || {
                let shared = Arc::new((Mutex::new(0), Condvar::new()));
                let threads: Vec<_> = (0..2)
                    .map(|number| {
                        let shared = shared.clone();
                        let wait = move || {
                            let mut done = lock(&shared.0);
                            shared.1.wait_while(&mut done, |done| *done == 0);
                        };
                        spawn(&format!("waiting-{number}"), wait).unwrap()
                    })
                    .collect();
                *lock(&shared.0) = 1;
                shared.1.notify_all();
                threads
                    .into_iter()
                    .for_each(|thread| thread.join().unwrap());
            });
            came.is_ok()
        };
        let sound = (0..100).filter(|seed| went(*seed, Some(slip))).count();
        assert!((1..100).contains(&sound), "{slip:?}: {sound} of 100");
        assert!((0..100).all(|seed| went(seed, None)));
    }
}

#[test]
fn threads_that_belong_to_no_story_notice_nothing() {
    let (sender, receiver) = bounded(1);
    let sending = spawn("sender", move || {
        (0..100).for_each(|number| sender.send(number).unwrap());
    });
    assert_eq!(receiver.each().sum::<u32>(), 4_950);
    sending.unwrap().join().unwrap();
    let (one, never) = (bounded::<()>(1), bounded::<()>(1));
    let until = now() + Duration::from_millis(1);
    let came = first_of(&one.1, None::<&Receiver<()>>, &never.1, Some(until));
    assert!(matches!(came, First::Alarm) && now() >= until);
    assert!(!are_taken());
}
