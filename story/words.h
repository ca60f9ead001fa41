// The words themselves; tables.cpp reads this text. A line holds one or more whole rows of its
// table.
#pragma once

#include <string_view>

namespace gradus::story {

inline constexpr std::string_view words = R"(
person: name she her poss sibling child
Anna she her her sister girl  Tom he him his brother boy  Mary she her her sister girl
Paul he him his brother boy
Emma she her her sister girl  Peter he him his brother boy  Lucy she her her sister girl
David he him his brother boy
Sara she her her sister girl  John he him his brother boy  Clara she her her sister girl
Ben he him his brother boy
Julia she her her sister girl  Oscar he him his brother boy  Nora she her her sister girl
Henry he him his brother boy
Alice she her her sister girl  Jack he him his brother boy  Rosa she her her sister girl
Martin he him his brother boy
Ida she her her sister girl  Adam he him his brother boy  Eva she her her sister girl
Albert he him his brother boy
Ruth she her her sister girl  Alex he him his brother boy  Helen she her her sister girl
Anton he him his brother boy
Irene she her her sister girl  Arthur he him his brother boy  Jane she her her sister girl
Bruno he him his brother boy
Kate she her her sister girl  Carl he him his brother boy  Laura she her her sister girl
Charles he him his brother boy
Lena she her her sister girl  Daniel he him his brother boy  Lily she her her sister girl
Edgar he him his brother boy
Maria she her her sister girl  Edward he him his brother boy  Martha she her her sister girl
Emil he him his brother boy
Nina she her her sister girl  Eric he him his brother boy  Olga she her her sister girl
Felix he him his brother boy
large:
Paula she her her sister girl  Frank he him his brother boy  Rita she her her sister girl
George he him his brother boy
Sofia she her her sister girl  Hugo he him his brother boy  Stella she her her sister girl
Isaac he him his brother boy
Susan she her her sister girl  Ivan he him his brother boy  Tina she her her sister girl
Jacob he him his brother boy
Vera she her her sister girl  James he him his brother boy  Wilma she her her sister girl
Karl he him his brother boy
Agnes she her her sister girl  Leo he him his brother boy  Amelia she her her sister girl
Louis he him his brother boy
Beatrice she her her sister girl Lucas he him his brother boy  Bella she her her sister girl
Marcus he him his brother boy
Carmen she her her sister girl  Max he him his brother boy  Cecilia she her her sister girl
Michael he him his brother boy
Diana she her her sister girl  Nathan he him his brother boy  Dora she her her sister girl
Nicholas he him his brother boy
Edith she her her sister girl  Noah he him his brother boy  Elena she her her sister girl
Oliver he him his brother boy
Eliza she her her sister girl  Otto he him his brother boy  Ella she her her sister girl
Philip he him his brother boy
Erika she her her sister girl  Ralph he him his brother boy  Flora she her her sister girl
Richard he him his brother boy
Frieda she her her sister girl  Robert he him his brother boy  Greta she her her sister girl
Samuel he him his brother boy
Hanna she her her sister girl  Simon he him his brother boy  Isabel she her her sister girl
Stephen he him his brother boy
Johanna she her her sister girl  Theo he him his brother boy  Linda she her her sister girl
Victor he him his brother boy
Margaret she her her sister girl Walter he him his brother boy  Olivia she her her sister girl
William he him his brother boy

job: noun place verb object
baker bakery bakes bread  teacher school teaches children  farmer farm grows corn
doctor hospital heals people
cook restaurant cooks meals  painter studio paints pictures  sailor harbor sails ships
judge court settles quarrels
gardener greenhouse waters flowers  mechanic garage repairs cars  singer theater sings songs
librarian library lends books
barber barbershop cuts hair  tailor workshop sews suits  carpenter sawmill saws planks
miner mine digs coal
large:
fisherman lake catches trout  pilot airport flies airplanes  astronomer observatory watches stars
chemist laboratory mixes liquids
postman depot carries letters  butcher butchery sells meat  florist nursery binds roses
jeweller boutique polishes diamonds
banker bank counts money  soldier barracks guards prisoners priest church reads prayers
monk monastery copies manuscripts
actor playhouse plays kings  dancer ballroom dances waltzes  organist cathedral plays hymns
conductor opera leads musicians
dentist surgery pulls teeth  nurse clinic bandages wounds  pharmacist pharmacy sells pills
vet shelter treats dogs
brewer brewery brews beer  winemaker vineyard presses grapes miller mill grinds wheat
cobbler cellar mends boots
blacksmith forge hammers iron  potter pottery shapes clay  weaver factory weaves cloth
printer basement prints newspapers
reporter newsroom writes articles  poet attic writes verses  lawyer chambers drafts contracts
mayor hall signs orders
policeman station questions thieves  fireman barn fights flames  guard museum protects paintings
clerk office files papers
engineer factory builds engines  architect bureau draws houses
welder shipyard joins plates electrician powerhouse mends wires
plumber bathroom repairs pipes  glazier glassworks blows bottles  beekeeper orchard keeps bees
shepherd meadow herds sheep
forester forest plants trees  hunter woods hunts deer  diver reef collects pearls
driver garage drives buses
waiter cafe serves coffee  grocer grocery sells vegetables  trainer gym trains athletes
swimmer pool swims lengths
professor university teaches students  scientist institute studies cells
programmer lab writes programs
photographer darkroom develops photographs

animal: noun sound home
dog woof kennel  cat meow basket  cow moo barn  duck quack pond  sheep baa meadow
horse neigh stable
pig oink sty  hen cluck coop  bird tweet nest  bee buzz hive  mouse squeak hole  frog croak swamp
donkey bray paddock   goose honk yard    goat meh hillside
large:
owl hoot tree        raven caw steeple     lion roar savanna
wolf howl forest  bear growl cave  snake hiss grass  pigeon coo loft  rooster crow henhouse
turkey gobble pen
cricket chirp hedge  monkey chatter jungle  elephant trumpet zoo  seal bark beach  parrot hello cage
dove coo dovecote

weather: word gear
raining umbrella  snowing coat  sunny hat  windy scarf  foggy lantern  cold blanket
large:
stormy raincoat  freezing fur  hot fan  icy stick  misty torch  cloudy jacket
dark candle  dusty mask  muddy shovel  cool sweater  chilly shawl  bright parasol

time: noun meal
morning breakfast    afternoon lunch     evening dinner

day: today tomorrow
Monday Tuesday  Tuesday Wednesday  Wednesday Thursday  Thursday Friday  Friday Saturday
Saturday Sunday  Sunday Monday

place: noun
park beach market station castle bridge river mountain island village tower valley forest lake zoo
garden museum church square harbor
hill hotel palace ocean town field cottage camp
large:
street well college circus
abbey alley arcade arena avenue bay bazaar border brook canal canyon chapel cinema city cliff coast
colony corner
country courtyard crossroads dam desert dock embassy estate fair ford fortress fountain frontier
gallery gate glacier
graveyard grove hall hamlet headland heath hut inn junction kingdom lagoon lighthouse lodge mansion
marina marsh
monument moor mosque oasis pass pavilion peak peninsula pier plain plantation planetarium plateau
playground plaza port prairie
pyramid quarry ravine ridge road ruin sanatorium seaside shrine stadium suburb summit swamp
synagogue temple terrace
thicket tunnel vault viaduct villa volcano wall warehouse waterfall wharf windmill wilderness

thing: noun
key book ring watch bag box letter ball map cup lamp coin hat knife spoon bell clock doll pen toy
chair mirror rope flag
brush bucket drum fork glass kite needle pencil
large:
pillow pot purse shoe sword table ticket violin whistle vase
album amulet anchor apron arrow axe badge bandage banjo banner barometer belt bicycle bonnet bowl
bracelet briefcase brooch
broom buckle button cabinet calendar camera cane canoe cap card carpet cart chain chalk chart
chessboard chisel cigar clip
cloak comb compass cord cork couch crown crutch cube cushion dagger diary dictionary dish easel
envelope eraser fiddle figure
file flask flute frame funnel globe glove gong handkerchief harp helmet hook horn hourglass inkwell
jar jewel jug kettle
ladder lens lever lock locket magazine magnet marble match medal microscope mug nail napkin necklace
notebook oar ornament
package paddle padlock pan pendant perfume pin pipe pistol pitcher plate pocketknife portrait
postcard
poster puppet puzzle quilt racket radio rake razor receipt ribbon rucksack rug ruler saddle sandal
satchel saucer scale
scooter screw scroll shield sickle skate sketch sled slipper soap sock souvenir spade spear spring
stamp
statue stool string suitcase tablecloth teapot telescope tent thermometer thimble thread tie tile
toolbox top towel
tray tripod trunk tube typewriter veil vest wagon wallet wand wheel whip wig wire wreath zipper

container: noun
drawer cupboard chest pocket
large:
barrel basin bin bookcase bureau bushel cask casket closet cradle crate dresser hamper haystack
locker mailbox oven pantry pouch safe shed
sink stove tank tub wardrobe

color: word
red blue green yellow black white brown gray
large:
amber azure beige bronze copper cream crimson golden indigo ivory lilac maroon olive orange pink
purple scarlet silver
turquoise violet

food: noun
soup cheese rice cake fish salad bread meat pasta apples eggs honey
beef butter chicken ham jam pizza pie nuts
large:
bacon biscuits broth cabbage caviar cereal chocolate clams crab crackers cucumbers curry custard
dumplings
icing jelly lamb lentils lobster macaroni marmalade melon mushrooms mustard mutton noodles oatmeal
olives omelette oysters pancakes
pastry peanuts peas pickles popcorn pork porridge potatoes pudding raisins ravioli roast sandwiches
sardines sausages shrimps
spaghetti
spinach steak stew cookies sushi toast tofu truffles turnips veal waffles yogurt

cause: verb mood reaction tone
lost sad cried negative  found happy smiled positive  broke angry shouted negative
repaired proud sang positive
forgot worried sighed negative   polished tired yawned neutral
large:
dropped upset groaned negative  recovered glad laughed positive  damaged furious cursed negative
designed excited jumped positive
misplaced nervous trembled negative  inherited rich danced positive  ruined ashamed blushed negative
sold satisfied grinned positive
spoiled miserable wept negative  won joyful cheered positive  burned afraid screamed negative
finished relieved rested positive
missed lonely brooded negative  hid calm whistled neutral  cracked annoyed grumbled negative
received grateful bowed positive
needed gloomy moaned negative  discovered delighted clapped positive
carried exhausted slept neutral  studied curious wondered neutral

quality: word opposite
big small  hot cold  old new  heavy light  clean dirty  hard soft
large:
bright dim  cheap expensive  deep shallow  dry wet  early late  easy difficult
empty full  fast slow  flat steep  fresh stale  loud quiet  long short
narrow wide  open closed  poor wealthy  rough smooth  safe dangerous  sharp blunt
simple complicated  sour sweet  strong weak  tall low  thick thin  tight loose
true false  ugly beautiful  visible invisible  wild tame  wise foolish  young aged
polite rude  common rare  public private  solid hollow  tidy messy  lucky unlucky
natural artificial  modern ancient  useful useless  honest dishonest  brave cowardly  perfect flawed

kind: noun category
rose flower  oak tree  apple fruit  carrot vegetable  trout fish  hammer tool
tulip flower  pine tree  pear fruit  onion vegetable  salmon fish  saw tool
daisy flower  lily flower  orchid flower  poppy flower  daffodil flower  violet flower
sunflower flower
carnation flower  dahlia flower  geranium flower  iris flower  jasmine flower  lavender flower
marigold flower
large:
birch tree  beech tree  cedar tree  elm tree  fir tree  maple tree  willow tree
ash tree  poplar tree  spruce tree  chestnut tree  linden tree  palm tree  cypress tree
banana fruit  cherry fruit  grape fruit  lemon fruit  mango fruit  peach fruit  plum fruit
apricot fruit  fig fruit  kiwi fruit  lime fruit  papaya fruit  pineapple fruit  strawberry fruit
bean vegetable  beet vegetable  celery vegetable  eggplant vegetable  leek vegetable
pumpkin vegetable
radish vegetable
broccoli vegetable  cauliflower vegetable  garlic vegetable  lettuce vegetable  parsnip vegetable
pepper vegetable
squash vegetable
carp fish  cod fish  eel fish  herring fish  pike fish  shark fish  tuna fish
haddock fish  mackerel fish  perch fish  sturgeon fish  catfish fish  halibut fish  sole fish
drill tool  wrench tool  screwdriver tool  crowbar tool  plane tool  spanner tool  trowel tool
piano instrument  guitar instrument  trumpet instrument  cello instrument  clarinet instrument
organ instrument
tuba instrument
oboe instrument  bassoon instrument  mandolin instrument  accordion instrument  xylophone instrument
trombone instrument
viola instrument
shirt garment  skirt garment  blouse garment  sweatshirt garment  dress garment  gown garment
stocking garment
robe garment  tunic garment  kimono garment  cardigan garment  waistcoat garment  overall garment
pyjama garment
gold metal  iron metal  lead metal  tin metal  zinc metal  nickel metal  aluminium metal
ruby gem  emerald gem  sapphire gem  topaz gem  opal gem  pearl gem  diamond gem
football game  chess game  tennis game  poker game  golf game  hockey game  rugby game
baseball game  basketball game  volleyball game  dominoes game  checkers game  billiards game
croquet game
eagle bird  hawk bird  sparrow bird  swan bird  stork bird  penguin bird  robin bird
falcon bird  heron bird  lark bird  magpie bird  nightingale bird  ostrich bird  peacock bird
ant insect  butterfly insect  beetle insect  mosquito insect  moth insect  wasp insect
dragonfly insect
fly insect  flea insect  grasshopper insect  ladybug insect  termite insect  hornet insect
locust insect
tiger mammal  zebra mammal  giraffe mammal  camel mammal  rabbit mammal  squirrel mammal
otter mammal
beaver mammal  dolphin mammal  fox mammal  hedgehog mammal  kangaroo mammal  leopard mammal
moose mammal
lizard reptile  crocodile reptile  turtle reptile  tortoise reptile  cobra reptile  viper reptile
gecko reptile
bus vehicle  train vehicle  truck vehicle  tram vehicle  taxi vehicle  tractor vehicle
motorcycle vehicle
carriage vehicle  van vehicle  ambulance vehicle  bulldozer vehicle  limousine vehicle
sledge vehicle  trolley vehicle
ferry boat  yacht boat  raft boat  barge boat  kayak boat  schooner boat  tanker boat
tea drink  milk drink  juice drink  wine drink  lemonade drink  cider drink  whisky drink
cinnamon spice  nutmeg spice  ginger spice  saffron spice  vanilla spice  cumin spice  paprika spice
triangle shape  circle shape  rectangle shape  hexagon shape  cone shape  sphere shape
cylinder shape
sofa furniture  desk furniture  bench furniture  armchair furniture  cabinet furniture
bookshelf furniture
sideboard furniture
bishop clergyman  king ruler  queen ruler  emperor ruler  prince ruler  duke ruler  sultan ruler

event: verb mood reaction unlike tone
lost sad cried glad negative  missed sad cried glad negative  forgot worried sighed glad negative
dropped worried sighed glad negative  broke angry shouted glad negative
burned angry shouted glad negative
found happy laughed sad positive  received happy laughed sad positive
washed proud smiled sad positive
repaired proud smiled sad positive  won merry danced sad positive
discovered merry danced sad positive

turn: verb mood verb2 mood2 begin close tone
lost sad found happy badly well positive            broke angry repaired proud badly well positive
dropped worried washed proud badly well positive    missed sad received happy badly well positive
found happy lost sad well badly negative            repaired proud broke angry well badly negative
washed proud dropped worried well badly negative    received happy missed sad well badly negative

trait: word opposite
big small       small big       old new         new old         clean dirty     dirty clean
dark bright     bright dark     cheap expensive expensive cheap quiet loud      loud quiet

plant: noun category
rose flower  tulip flower  daisy flower  lily flower  oak tree  pine tree  birch tree  willow tree
apple fruit  pear fruit  plum fruit  cherry fruit  carrot vegetable onion vegetable bean vegetable
leek vegetable

family: noun
Baker Cook Farmer Miller Hill Wood Field Stone Bell Rose King Young Brown Gray Winter Fisher

pet: noun
Rose Daisy Cherry Honey Ginger Pepper Brown Gray King Winter Happy Lucky

spot: first second
Green Hill  Black Hill  Old Bridge  Stone Bridge  Silver Lake  Blue Lake  King Street  Baker Street
Winter Field  Rose Field  Long Valley  White Valley  Red Rock  Bell Rock  High Wood  Dark Wood

verb: base past
swim swam  sing sang  write wrote  sleep slept  run ran  dance danced
read read  work worked  draw drew  sail sailed  ride rode  cook cooked
large:
bake baked  bathe bathed  begin began  bend bent  blink blinked  bow bowed
breathe breathed  cheat cheated  chat chatted  chew chewed  climb climbed  cough coughed
crawl crawled  cycle cycled  depart departed  dig dug  dine dined  disappear disappeared
dive dived  dream dreamt  drink drank  drive drove  eat ate  exercise exercised
fall fell  fast fasted  fight fought  fish fished  float floated  fly flew
gamble gambled  gossip gossiped  grow grew  hesitate hesitated  hike hiked  hum hummed
hurry hurried  iron ironed  jog jogged  joke joked  juggle juggled  kneel knelt
knit knitted  limp limped  listen listened  march marched  meditate meditated
mourn mourned  move moved  nod nodded  obey obeyed  paint painted  pause paused
practise practised  pray prayed  protest protested  quarrel quarrelled  recover recovered
rehearse rehearsed
repent repented  reply replied  retire retired  return returned  rise rose  roam roamed
row rowed  sew sewed  shave shaved  shiver shivered  shop shopped  shrug shrugged
sit sat  skate skated  ski skied  smoke smoked  sneeze sneezed  snore snored
speak spoke  spin spun  stand stood  stay stayed  stumble stumbled  suffer suffered
swear swore  sweat sweated  swing swung  talk talked  teach taught  travel travelled
type typed  vanish vanished  vote voted  wade waded  wait waited  walk walked
wander wandered  wash washed  weave wove  weep wept  win won  wrestle wrestled

number: one many
mouse mice  foot feet  child children  tooth teeth  leaf leaves  man men
large:
woman women  goose geese  wolf wolves  half halves  knife knives  life lives
loaf loaves  shelf shelves  thief thieves  wife wives  calf calves  ox oxen
baby babies  berry berries  lady ladies  story stories  enemy enemies  army armies
factory factories  pony ponies  puppy puppies  spy spies  diary diaries  fairy fairies
box boxes  bush bushes  church churches  class classes  dish dishes  dress dresses
branch branches  inch inches  watch watches  match matches  witch witches  torch torches
hero heroes  tomato tomatoes  potato potatoes  echo echoes  piano pianos  photo photos
house houses  horse horses  judge judges  page pages  prize prizes  nose noses
arm arms  finger fingers  shoulder shoulders  knee knees  elbow elbows  eye eyes
window windows  door doors  roof roofs  floor floors  stair stairs  chimney chimneys
uncle uncles  cousin cousins  neighbor neighbors  teacher teachers  friend friends  guest guests
planet planets  star stars  cloud clouds  storm storms  shadow shadows  flame flames

town: noun
large:
Aberdeen Adelaide Algiers Amsterdam Antwerp Atlanta Auckland Baghdad Baltimore Bangalore Barcelona
Basel Bath Belfast Bergen Birmingham
Bologna Bombay
Bordeaux Boston Bremen Brighton Bristol Bruges Calais Calcutta Cambridge Canterbury Cardiff Chicago
Cologne Cork Coventry Dallas Damascus
Delhi Denver
Derby Detroit Dover Dresden Dundee Durban Edinburgh Exeter Florence Frankfurt Geneva Genoa Ghent
Glasgow Gothenburg Granada Graz Hamburg
Hanover
Havana Heidelberg Houston Innsbruck Istanbul Kansas Karachi Lagos Leeds Leicester Leipzig Limerick
Linz Liverpool Lyon Madras Malaga
Manchester
Mannheim Marseille Melbourne Memphis Miami Milan Montreal Munich Nairobi Nantes Naples Newcastle
Nice Norwich Nottingham Odessa Orleans
Osaka Oxford
Padua Palermo Parma Perth Philadelphia Pisa Plymouth Portsmouth Quebec Ravenna Reading Reims
Rotterdam Rouen Salzburg Seattle Seville
Shanghai Sheffield
Siena Smyrna Southampton Strasbourg Stuttgart Sydney Toledo Toronto Toulouse Trieste Turin Utrecht
Valencia Vancouver Venice Verona Vienna
Winchester

country: noun capital language
large:
France Paris French  Germany Berlin German  Italy Rome Italian  Spain Madrid Spanish
Portugal Lisbon Portuguese
Greece Athens Greek  Russia Moscow Russian  Poland Warsaw Polish  Sweden Stockholm Swedish
Norway Oslo Norwegian
Denmark Copenhagen Danish  Finland Helsinki Finnish  Hungary Budapest Hungarian
Turkey Ankara Turkish  Egypt Cairo Arabic
Japan Tokyo Japanese  China Beijing Chinese  Korea Seoul Korean  Thailand Bangkok Thai
Vietnam Hanoi Vietnamese
Iran Tehran Persian  Israel Jerusalem Hebrew  Bulgaria Sofia Bulgarian  Romania Bucharest Romanian
Iceland Reykjavik Icelandic
Ireland Dublin Irish  England London English  Croatia Zagreb Croatian  Serbia Belgrade Serbian
Ukraine Kiev Ukrainian
)";

}  // namespace gradus::story
