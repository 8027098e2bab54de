using System.Text.Json;
using NullTextResearch.Images;
using NullTextResearch.Perception;
using Xunit;

namespace NullTextResearch.Cli.Tests;

public sealed class MeasureTests : Workshop
{
    public MeasureTests()
    {
        Write("a.png", (x, y) => (byte)(3 * x + y));
        Write("b.png", (x, y) => (byte)(3 * x + y + (x < 24 ? 16 : 0)));
        Write("mask.png", (x, _) => x < 24 ? (byte)255 : (byte)0);
        Write("small.png", (_, _) => 9, 20);
    }

    [Fact]
    public void Measure_TwoPictures_ShowsEveryMetric_OrWhyNot()
    {
        string text = Run("measure", "b.png", "--reference", "a.png").WithoutStackTrace().Out;
        foreach (Metric metric in MetricCatalogue.All)
            Assert.Matches($"(?m)^  {metric.Id} ", text);
        Assert.Matches("(?m)^  psnr +[0-9.]+ dB +higher is better", text);
        Assert.Matches("(?m)^  masked-psnr +needs a mask", text);
        Assert.Matches("(?m)^  lpips-alex +weights needed", text);
    }

    [Fact]
    public void Measure_InsideAndOutsideAMask_DiffersThere()
    {
        Dictionary<string, double> inside = Numbers("--mask", "mask.png"),
            outside = Numbers("--mask", "mask.png", "--outside"),
            official = Numbers("--mask", "mask.png", "--pie-official");
        Assert.Equal(16 * 16 / (255.0 * 255), inside["masked-mse"], 1e-9);
        Assert.Equal(double.PositiveInfinity, outside["masked-psnr"]);
        Assert.Equal(inside["masked-mse"] / 2, official["masked-mse"], 1e-9);
        Assert.Equal(inside["mse"], official["mse"]);

        Dictionary<string, double> Numbers(params string[] more)
        {
            Outcome outcome = Run(["measure", "b.png", "--reference", "a.png", "--json", "--metrics", "mse,masked-mse,masked-psnr", .. more])
                .WithoutStackTrace();
            Assert.Equal(0, outcome.ExitCode);
            using JsonDocument json = JsonDocument.Parse(outcome.Out);
            return json
                .RootElement.EnumerateArray()
                .ToDictionary(
                    m => m.GetProperty("id").GetString()!,
                    m => m.GetProperty("number") is { ValueKind: JsonValueKind.String } ? double.PositiveInfinity : m.GetProperty("number").GetDouble()
                );
        }
    }

    [Theory]
    [InlineData("--metrics", "psnr,nothing", "available: psnr")]
    [InlineData("--metrics", ",", "lists no ids")]
    [InlineData("--metrics", "clip-text", "weights needed")]
    [InlineData("--metrics", "masked-psnr", "needs a mask")]
    [InlineData("--outside", null, "--outside needs a mask")]
    [InlineData("--weights", "nowhere", "no file or folder nowhere")]
    public void Measure_WhatDoesNotFit_IsRefused(string option, string? value, string says) =>
        Assert.Contains(
            says,
            Run(["measure", "b.png", "--reference", "a.png", option, .. value is null ? [] : new[] { value }]).WithoutStackTrace().Error,
            StringComparison.Ordinal
        );

    [Fact]
    public void Measure_OtherSize_SaysBothSizes_ForTheMetricAsked()
    {
        Outcome outcome = Run("measure", "small.png", "--reference", "a.png", "--metrics", "psnr").WithoutStackTrace();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("20", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("48", outcome.Error, StringComparison.Ordinal);
    }

    private void Write(string name, Func<int, int, byte> grey, int side = 48) =>
        ImageFile.SavePng(
            new RgbImage(side, side, [.. Enumerable.Range(0, side * side * 3).Select(i => grey(i / 3 % side, i / 3 / side))]),
            Path.Combine(Folder, name)
        );
}
