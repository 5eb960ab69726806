"""What all REST endpoints share. Reads are projections, writes are serializers, errors one shape.

`viewsets` is what an application derives from; everything else here serves it.
"""
