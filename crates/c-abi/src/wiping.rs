//! An allocator that wipes what is freed.
//!
//! Tokens and plaintexts pass through buffers of libraries for TLS, HTTP, JSON and base64, which
//! free them as they are. Each of our shared objects has an allocator of its own, so that all of
//! its Rust code wipes, and nothing of the host's changes.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    arch::asm,
    ptr,
};

/// The system's allocator, with every block overwritten before it is given back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wiping;

// SAFETY: blocks are the system allocator's, given back with the layout that they came with.
unsafe impl GlobalAlloc for Wiping {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: vouched for by the caller.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: vouched for by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller vouches for a block of this layout that nobody uses any more.
        unsafe {
            wipe(block, layout.size());
            System.dealloc(block, layout);
        }
    }

    /// Always moves: the system's `realloc` may move too, and then leaves the old block as it was.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for the block and that the new size makes a layout. The new
        // block is another one, and both have room for what is copied.
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

/// Overwrites memory, and keeps the compiler from leaving that out because nobody reads it again.
///
/// # Safety
/// `len` bytes at `block` can be written to.
#[inline]
unsafe fn wipe(block: *mut u8, len: usize) {
    // SAFETY: vouched for by the caller.
    unsafe { ptr::write_bytes(block, 0, len) };
    // SAFETY: no instruction at all; for the compiler it may read all of memory.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags, readonly)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_zero_before_it_is_given_back() {
        let mut block = vec![0xa5_u8; 4096];
        // SAFETY: the block has that many bytes.
        unsafe { wipe(block.as_mut_ptr(), block.len()) };
        assert!(block.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn growing_and_shrinking_keep_the_content() {
        let layout = Layout::from_size_align(64, 16).expect("a layout");
        // SAFETY: blocks are used with the layouts that they have.
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
