"""Find a head: what heads are asked, which one answers, and the numbers of all of them."""
