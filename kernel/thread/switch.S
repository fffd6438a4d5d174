    .text

/*
 * struct thread *thread_switch(struct thread *from, struct thread *to)
 * IN: EAX: from, EDX: to; interrupts are off. OUT: EAX: the thread that ran before this one runs again.
 * CLOBBERS: ECX, EDX, and everything else until then.
 * saved_esp is the first word of struct thread.
 */
    .globl thread_switch
    .type thread_switch, @function
thread_switch:
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, (%eax)
    movl (%edx), %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret

/*
 * A new thread comes here from thread_switch: a call with no way back, whose frame ends a backtrace.
 * IN: EAX: the thread that ran before. OUT: never returns.
 */
    .globl thread_entry
    .type thread_entry, @function
thread_entry:
    xorl %ebp, %ebp
    call thread_begin
    ud2
