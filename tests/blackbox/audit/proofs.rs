//! Checkpoints and proofs from `AuditService`, judged by software that is not planledger's.

use planledger_proto::v1::*;

use super::place::written;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn checkpoints_are_kept_and_listed_and_others_can_check_them() {
    let home = Home::new();
    let (server, voice) = home.serve_notarised().await;
    let (_, plan_id) = written(&voice, 1).await;
    let key = voice.verifier_key().await;
    let mut made = Vec::new();
    for n in 0..3 {
        voice.execute(write_status(&plan_id, &format!("{n}"))).await;
        let checkpoint = voice.new_checkpoint().await;
        assert!(checkpoint.size <= voice.position().await);
        Believed::of(&checkpoint, &key);
        made.push(checkpoint);
    }
    assert!(made.is_sorted_by(|a, b| a.size < b.size));
    let newest = voice.ask(GetCheckpointRequest::default()).await.unwrap();
    assert_eq!(newest.checkpoint.as_ref(), made.last());
    // The smallest that covers a size.
    let request = GetCheckpointRequest {
        min_size: made[0].size + 1,
        create: false,
    };
    let covering = voice.ask(request).await.unwrap().checkpoint.unwrap();
    assert_eq!(covering, made[1]);

    let (mut listed, mut after_size) = (Vec::new(), 0);
    loop {
        let page_size = 1;
        let request = ListCheckpointsRequest {
            after_size,
            page_size,
        };
        let page = voice.ask(request).await.unwrap().checkpoints;
        let Some(last) = page.last() else { break };
        after_size = last.size;
        listed.extend(page);
    }
    for checkpoint in &made {
        assert!(listed.contains(checkpoint));
    }
    server.stop();
    // Kept for ever: also by the next server.
    let (_server, voice) = home.serve_notarised().await;
    assert_eq!(voice.verifier_key().await, key);
    let request = GetCheckpointRequest {
        min_size: made[0].size,
        create: false,
    };
    let again = voice.ask(request).await.unwrap().checkpoint.unwrap();
    assert_eq!(again, made[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_entry_is_proved_to_be_included_and_every_checkpoint_to_grow_from_those_before() {
    let (_server, voice) = Home::new().serve_notarised().await;
    let (_, plan_id) = written(&voice, 1).await;
    let key = voice.verifier_key().await;
    let mut believed = vec![Believed::of(&voice.new_checkpoint().await, &key)];
    for n in 0..3 {
        voice.execute(write_status(&plan_id, &format!("{n}"))).await;
        believed.push(Believed::of(&voice.new_checkpoint().await, &key));
    }
    let newest = believed.last().unwrap();
    for position in 1..=newest.size {
        let request = inclusion(position, newest.size);
        let proof = voice.ask(request).await.unwrap();
        assert_eq!(proof.leaf_index, position - 1);
        let under = Believed::of(&proof.checkpoint.unwrap(), &key);
        assert_eq!(under.size, newest.size);
        assert!(under.includes(proof.leaf_index, &proof.entry, &proof.hashes));
        // Neither another place nor another entry.
        assert!(!under.includes((position) % under.size, &proof.entry, &proof.hashes));
        let mut other = proof.entry.clone();
        other[100] ^= 1;
        assert!(!under.includes(proof.leaf_index, &other, &proof.hashes));
    }
    for before in &believed {
        let request = consistency(before.size, newest.size);
        let proof = voice.ask(request).await.unwrap();
        assert_eq!(proof.from_root, before.root.0);
        let under = Believed::of(&proof.checkpoint.unwrap(), &key);
        assert!(under.grew_from(before, &proof.hashes));
        let mut other = Believed::new(&voice.new_checkpoint().await.note, &key);
        other.root.0[0] ^= 1;
        other.size = before.size;
        assert!(!under.grew_from(&other, &proof.hashes));
    }
}
