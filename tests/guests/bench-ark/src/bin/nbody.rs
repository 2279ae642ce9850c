//! Moves five bodies around each other: floating point in small loops.

use std::f64::consts::PI;

use bench_ark::rounds;

const SOLAR_MASS: f64 = 4.0 * PI * PI;
const DAYS_PER_YEAR: f64 = 365.24;

#[derive(Clone, Copy)]
struct Body {
    place: [f64; 3],
    speed: [f64; 3],
    mass: f64,
}

/// A planet by its place, its speed a day, and its mass in suns.
fn planet(place: [f64; 3], speed: [f64; 3], mass: f64) -> Body {
    Body {
        place,
        speed: speed.map(|speed| speed * DAYS_PER_YEAR),
        mass: mass * SOLAR_MASS,
    }
}

fn solar_system() -> [Body; 5] {
    [
        planet([0.0; 3], [0.0; 3], 1.0),
        planet(
            [
                4.841_431_442_464_721,
                -1.160_320_044_027_428_4,
                -0.103_622_044_471_123_11,
            ],
            [
                0.001_660_076_642_744_037,
                0.007_699_011_184_197_404,
                -0.000_069_046_001_697_206_3,
            ],
            0.000_954_791_938_424_326_6,
        ),
        planet(
            [
                8.343_366_718_244_58,
                4.124_798_564_124_305,
                -0.403_523_417_114_321_4,
            ],
            [
                -0.002_767_425_107_268_624,
                0.004_998_528_012_349_172,
                0.000_023_041_729_757_376_393,
            ],
            0.000_285_885_980_666_130_8,
        ),
        planet(
            [
                12.894_369_562_139_131,
                -15.111_151_401_698_631,
                -0.223_307_578_892_655_73,
            ],
            [
                0.002_964_601_375_647_616,
                0.002_378_471_739_594_809_5,
                -0.000_029_658_956_854_023_756,
            ],
            0.000_043_662_440_433_515_63,
        ),
        planet(
            [
                15.379_697_114_850_917,
                -25.919_314_609_987_964,
                0.179_258_772_950_371_18,
            ],
            [
                0.002_680_677_724_903_893,
                0.001_628_241_700_382_423,
                -0.000_095_159_225_451_971_59,
            ],
            0.000_051_513_890_204_661_145,
        ),
    ]
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut energy = 0.0;
    for (i, body) in bodies.iter().enumerate() {
        energy += 0.5 * body.mass * body.speed.iter().map(|speed| speed * speed).sum::<f64>();
        for other in &bodies[i + 1..] {
            let mut square = 0.0;
            for axis in 0..3 {
                let distance = body.place[axis] - other.place[axis];
                square += distance * distance;
            }
            energy -= body.mass * other.mass / square.sqrt();
        }
    }
    energy
}

fn advance(bodies: &mut [Body; 5], time: f64) {
    for i in 0..5 {
        for j in i + 1..5 {
            let x = bodies[i].place[0] - bodies[j].place[0];
            let y = bodies[i].place[1] - bodies[j].place[1];
            let z = bodies[i].place[2] - bodies[j].place[2];
            let square = x * x + y * y + z * z;
            let pull = time / (square * square.sqrt());
            let (mine, theirs) = (bodies[i].mass, bodies[j].mass);
            bodies[i].speed[0] -= x * theirs * pull;
            bodies[i].speed[1] -= y * theirs * pull;
            bodies[i].speed[2] -= z * theirs * pull;
            bodies[j].speed[0] += x * mine * pull;
            bodies[j].speed[1] += y * mine * pull;
            bodies[j].speed[2] += z * mine * pull;
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.place[axis] += time * body.speed[axis];
        }
    }
}

fn main() {
    let mut bodies = solar_system();
    for axis in 0..3 {
        let momentum: f64 = bodies.iter().map(|body| body.speed[axis] * body.mass).sum();
        bodies[0].speed[axis] = -momentum / SOLAR_MASS;
    }

    for _ in 0..rounds(5_000_000) {
        advance(&mut bodies, 0.01);
    }

    println!("{:.9}", energy(&bodies));
}
