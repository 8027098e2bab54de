namespace NullTextResearch.Experiments;

/// <summary>All edits of one image, made from one inversion.</summary>
/// <param name="ReconstructionPng">The reconstruction without an edit, as PNG.</param>
/// <param name="Psnr">Its PSNR against the input, dB.</param>
/// <param name="DdimPng">The reconstruction by DDIM inversion without null texts at the same guidance, as PNG.</param>
/// <param name="Edits">The edits.</param>
public sealed record GalleryRecord(byte[] ReconstructionPng, double Psnr, byte[] DdimPng, IReadOnlyList<EditRecord> Edits);
