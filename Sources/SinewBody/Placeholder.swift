// Placeholder of the first skeleton; removed when the target's files arrive.
