"""One module a step, in order. A step that was released is never changed; the next one is added."""
