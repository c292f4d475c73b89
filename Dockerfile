# Overwritten below.
FROM scratch
