"""What goes to and comes from other servers: the Fediverse, WebSub, webmentions."""
