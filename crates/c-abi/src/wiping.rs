//! An allocator that zeroes memory before freeing it.
//!
//! Tokens and plaintexts pass through buffers of the TLS, HTTP, JSON and base64 libraries, which do
//! not zero them. Each of our shared objects installs this allocator, so all of its Rust code
//! zeroes what it frees. The host's allocations are not affected.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    arch::asm,
    ptr,
};

/// The system allocator, with every block zeroed before it is freed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wiping;

// SAFETY: blocks come from the system allocator and are freed with the layout they were allocated
// with.
unsafe impl GlobalAlloc for Wiping {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller guarantees a block of this layout that is no longer used.
        unsafe {
            wipe(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    /// Always allocates a new block: the system's `realloc` may move the data and leave the old
    /// block as it was.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller guarantees the block and a valid new size. The new block is distinct,
        // and both have room for what is copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

/// Zeroes memory. The empty `asm!` keeps the compiler from removing the write as a dead store.
///
/// # Safety
/// `len` bytes at `block` are writable.
#[inline]
unsafe fn wipe(block: *mut u8, len: usize) {
    // SAFETY: guaranteed by the caller.
    unsafe { ptr::write_bytes(block, 0, len) };
    // SAFETY: emits no instruction; the compiler must assume that it reads all memory.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags, readonly)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_zero_before_it_is_given_back() {
        let mut block = vec![0xa5_u8; 4096];
        // SAFETY: the block has this length.
        unsafe { wipe(block.as_mut_ptr(), block.len()) };
        assert!(block.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn growing_and_shrinking_keep_the_content() {
        let layout = Layout::from_size_align(64, 16).expect("a layout");
        // SAFETY: each block is used with its own layout.
        unsafe {
            let block = Wiping.alloc(layout);
            for at in 0..64 {
                block.add(at).write(at as u8);
            }
            let larger = Wiping.realloc(block, layout, 4096);
            assert!((0..64).all(|at| larger.add(at).read() == at as u8));
            assert_eq!(larger as usize % 16, 0);
            let grown = Layout::from_size_align(4096, 16).expect("a layout");
            let smaller = Wiping.realloc(larger, grown, 32);
            assert!((0..32).all(|at| smaller.add(at).read() == at as u8));
            Wiping.dealloc(smaller, Layout::from_size_align(32, 16).expect("a layout"));
            let zeroed = Wiping.alloc_zeroed(grown);
            assert!((0..4096).all(|at| zeroed.add(at).read() == 0));
            Wiping.dealloc(zeroed, grown);
        }
    }
}
