//! Numbers that follow from a seed, and what is made of them here.

#[path = "../../dice.rs"]
mod numbers;

pub(crate) use self::numbers::Dice;

impl Dice {
    /// True once in so many times.
    pub(crate) fn once_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// Fills a buffer.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.roll().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(number) {
                *to = from;
            }
        }
    }
}
